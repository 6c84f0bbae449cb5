/** A machine's definition as nodes and edges, for the console, the documents and the layout. */
import type { AnyStateMachine, AnyStateNode } from "xstate"
import { eventWords } from "#core/HostEventWords.ts"
import type { StateMeta } from "./hostSetup.ts"

export interface ChartNode {
  /** The state's own id, as it stands in timers. */
  readonly id: string
  readonly key: string
  readonly path: ReadonlyArray<string>
  readonly parent: string | null
  readonly kind: "parallel" | "group" | "state" | "final"
  /** Entered first when its parent is entered. */
  readonly initial: boolean
  readonly words: string
  /** The named delay that bounds the state and what happens when it runs out. */
  readonly limit: { readonly delay: string; readonly next: string } | null
  readonly tags: ReadonlyArray<string>
}

export interface ChartEdge {
  readonly id: string
  readonly from: string
  readonly to: string
  /** Types of the events that can take this way; empty type for ways taken at once. */
  readonly events: ReadonlyArray<string>
  readonly label: string
  /** Off the usual way: drawn as a short labelled stub at its node. */
  readonly stub: boolean
}

export interface Chart {
  readonly nodes: ReadonlyArray<ChartNode>
  readonly edges: ReadonlyArray<ChartEdge>
}

type Transition = NonNullable<AnyStateNode["always"]>[number]

const nodesBelow = (node: AnyStateNode): Array<AnyStateNode> =>
  Object.values(node.states).flatMap((child) => [child, ...nodesBelow(child)])

const kindOf = (node: AnyStateNode): ChartNode["kind"] => {
  if (node.type === "parallel" || node.type === "final") return node.type
  return node.type === "compound" ? "group" : "state"
}

const nodeOf =
  (root: AnyStateNode) =>
  (node: AnyStateNode): ChartNode => {
    const meta = node.meta as StateMeta | undefined
    const { parent } = node
    return {
      id: node.id,
      key: node.key,
      path: node.path,
      parent: parent === undefined || parent === root ? null : parent.id,
      kind: kindOf(node),
      initial: parent?.type === "compound" && parent.initial.target?.[0] === node,
      words: meta?.words ?? node.key,
      limit: meta?.limit ?? null,
      tags: node.tags
    }
  }

const transitionsOf = (node: AnyStateNode): ReadonlyArray<Transition> => [
  ...[...node.transitions.values()].flat(),
  ...(node.always ?? [])
]

/** Ways that lead somewhere; what an event only notes is no way. */
const waysFrom = (from: AnyStateNode) =>
  transitionsOf(from).flatMap(({ target, eventType, description, reenter, meta }) =>
    (target ?? [])
      .filter((to) => to !== from || reenter)
      .map((to) => ({
        from,
        to,
        event: eventType,
        label: description ?? eventWords(eventType).toLowerCase(),
        rare: meta !== undefined
      }))
  )

interface Drawn {
  readonly from: string
  readonly to: string
  readonly event: string
  readonly label: string
  readonly rare: boolean
}

/** One edge for each pair of states; the usual ways name it, the rare ones only where there is no usual one. */
const edgesFrom = (ways: ReadonlyArray<Drawn>): Array<ChartEdge> =>
  [...Map.groupBy(ways, ({ from, to }) => `${from}-${to}`)].flatMap(([id, all]) => {
    const [first] = all
    if (first === undefined) return []
    const usual = all.filter((way) => !way.rare)
    const labels = (usual.length > 0 ? usual : all).map(({ label }) => label)
    return [
      {
        id,
        from: first.from,
        to: first.to,
        events: [...new Set(all.map(({ event }) => event))],
        label: [...new Set(labels)].join(", "),
        stub: usual.length === 0
      }
    ]
  })

/** Without the root itself. Groups named in `fold` are drawn as one state: what goes on inside them is left out. */
export const chartOf = (machine: AnyStateMachine, fold: ReadonlyArray<string> = []): Chart => {
  const nodes = nodesBelow(machine.root)
  const shownAs = (node: AnyStateNode): AnyStateNode => {
    const outer = node.parent === undefined ? node : shownAs(node.parent)
    return outer !== node.parent || fold.includes(outer.id) ? outer : node
  }
  const shown = nodes.filter((node) => shownAs(node) === node)
  const ways = nodes
    .flatMap(waysFrom)
    .map((way) => ({
      ...way,
      inside: shownAs(way.from) === shownAs(way.to) && way.from !== way.to,
      from: shownAs(way.from).id,
      to: shownAs(way.to).id
    }))
    .filter(({ inside }) => !inside)
  return {
    nodes: shown
      .map((node) => nodeOf(machine.root)(node))
      .map((node) => (fold.includes(node.id) ? { ...node, kind: "state" } : node)),
    edges: edgesFrom(ways)
  }
}

/** The ids of a leaf and all that encloses it, from its spelling within its region, such as `patching.running`. */
export const activeIds = (chart: Chart, region: string, spelling: string): ReadonlyArray<string> => {
  const leaf = placeIn(chart, region, spelling.split("."))
  const up = (node: ChartNode | undefined): ReadonlyArray<string> =>
    node === undefined ? [] : [node.id, ...up(chart.nodes.find(({ id }) => id === node.parent))]
  return up(leaf)
}

/** A state inside a folded group is shown as the group. */
const placeIn = (chart: Chart, region: string, keys: ReadonlyArray<string>): ChartNode | undefined => {
  if (keys.length === 0) return undefined
  const [key, outer] = [keys.at(-1), keys.at(-2) ?? region]
  const found = chart.nodes.find((node) => node.key === key && (node.parent === outer || node.kind === "final"))
  return found ?? placeIn(chart, region, keys.slice(0, -1))
}

/** The edge that a recorded transition took, if it took one that is drawn; the innermost state's own comes first. */
export const edgeTaken = (
  chart: Chart,
  region: string,
  transition: { readonly from: string; readonly event: string; readonly to: string }
): ChartEdge | undefined => {
  const to = activeIds(chart, region, transition.to)
  return activeIds(chart, region, transition.from)
    .flatMap((from) => chart.edges.filter((edge) => edge.from === from))
    .find((edge) => to.includes(edge.to) && edge.events.includes(transition.event))
}
