/** Which nodes and edges of a drawing stand out for one moment in a host's life. */
import type { LinkState, WorkState } from "#core/HostState.ts"
import { activeIds } from "#machines/chart.ts"
import { linkStates, workStates, type Tone } from "../format/states.ts"
import type { Drawing, PlacedNode } from "./ChartLayout.ts"
import { layout } from "./layout.ts"

export interface Transition {
  readonly region: "link" | "work"
  readonly from: string
  readonly to: string
  readonly event: string
}

export interface Moment {
  readonly link: LinkState
  readonly work: WorkState
  readonly last: Transition | null
}

export interface Marks {
  /** Active leaves and all that encloses them. */
  readonly active: ReadonlySet<string>
  readonly next: ReadonlySet<string>
  readonly last: string | null
}

/** How a state is coloured while it is active; `ink` for those that ask for nothing. */
export type Colour = "run" | "warn" | "bad" | "ink"

const colours: Partial<Record<Tone, Colour>> = { run: "run", warn: "warn", bad: "bad" }

const isKey = <K extends string>(key: string, of: Readonly<Record<K, unknown>>): key is K => key in of

/** A state's spelling within its region, such as `patching.running`. */
const spellingOf = (node: PlacedNode) => node.path.slice(node.path[0] === "managed" ? 2 : 0).join(".")

export const colourOf = (node: PlacedNode): Colour => {
  const spelling = spellingOf(node)
  if (node.lane === "link") return isKey(spelling, linkStates) ? (colours[linkStates[spelling].tone] ?? "ink") : "ink"
  if (isKey(spelling, workStates)) return colours[workStates[spelling].tone] ?? "ink"
  return spelling === "settling" ? "warn" : "run"
}

const idsOf = (region: "link" | "work", spelling: string) => activeIds(layout.wide, region, spelling)

/** The type of a way that a machine takes without an event, on the heels of another. */
const AT_ONCE = ""

/** The marks for a drawing, folded or not: a folded state is active when anything in it is. */
export const marksOf = (drawing: Drawing, { link, work, last }: Moment): Marks => {
  const active = new Set([...idsOf("link", link), ...idsOf("work", work)])
  // What is possible from anywhere says nothing about this moment.
  const lanes = new Set(drawing.nodes.filter(({ form }) => form === "lane").map(({ id }) => id))
  const from = last === null ? [] : idsOf(last.region, last.from)
  const to = last === null ? [] : idsOf(last.region, last.to)
  const taken = (event: string) =>
    drawing.edges.find((edge) => from.includes(edge.from) && to.includes(edge.to) && edge.events.includes(event))
  return {
    active,
    next: new Set(drawing.edges.filter((edge) => active.has(edge.from) && !lanes.has(edge.from)).map(({ id }) => id)),
    last: last === null ? null : ((taken(last.event) ?? taken(AT_ONCE))?.id ?? null)
  }
}
