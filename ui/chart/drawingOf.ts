/** Joins a machine's definition with the places of a drawing. Every node needs a place; an edge without a route becomes a stub. */
import type { Chart, ChartEdge } from "#machines/chart.ts"
import type { Box, Drawing, PlacedLabel, PlacedNode, RoutedEdge } from "./ChartLayout.ts"
import { gapsUnder, headOf, lineOf, stretchesOf, type Gap } from "./lines.ts"
import type { NodePlace, Placement, Point, Route, StubPlace } from "./Placement.ts"
import { fitText, textWidth } from "./textWidth.ts"

const lineHeight = 13
/** From a stub's stem or its node's side to the tip of its arrow. */
const stubLength = 13
/** From a node to the first row of its tree: clear of the ring round an active node. */
const stubDrop = 12
const textGap = 4

const listed = (ids: ReadonlyArray<string>) => ids.map((id) => `"${id}"`).join(", ")

const boxOf = ({ at: [x, y, width, height] }: NodePlace): Box => ({ x, y, width, height })

const placedLabel = (lines: ReadonlyArray<string>, [x, y]: Point, anchor: PlacedLabel["anchor"]): PlacedLabel => ({
  lines,
  x,
  y,
  anchor
})

/** What a label covers, measured with a little to spare. */
export const labelBox = ({ lines, x, y, anchor }: PlacedLabel, fontSize: number): Box => {
  const width = Math.ceil(Math.max(...lines.map((line) => textWidth(line, fontSize))))
  const left = anchor === "start" ? x : anchor === "end" ? x - width : x - width / 2
  return { x: left, y: y - 9, width, height: (lines.length - 1) * lineHeight + 12 }
}

interface Draft {
  readonly edge: ChartEdge
  readonly lane: NodePlace["lane"]
  readonly points: ReadonlyArray<Point>
  readonly text: PlacedLabel | null
  readonly breaks: boolean
  readonly short: boolean
}

const stubOf = (
  edge: ChartEdge,
  place: StubPlace,
  row: number,
  rows: number,
  fontSize: number
): Pick<Draft, "points" | "text"> => {
  const [x, y] = place.at
  const full = `${edge.to}: ${edge.label}`
  const text = fitText(full, place.room, fontSize)
  if (place.side === "left") {
    const level = y + row * lineHeight
    const tip = x - stubLength
    return {
      points: [
        [x, level],
        [tip, level]
      ],
      text: placedLabel([text], [tip - textGap, level + 4], "end")
    }
  }
  const level = place.side === "above" ? y - stubDrop - (rows - 1 - row) * lineHeight : y + stubDrop + row * lineHeight
  const tip = x + stubLength
  return {
    points: [
      [x, y],
      [x, level],
      [tip, level]
    ],
    text: placedLabel([text], [tip + textGap, level + 4], "start")
  }
}

/** The gap that a label standing in its own line needs. */
const gapForLabel = ({ points, text, breaks }: Draft, fontSize: number): ReadonlyArray<Gap> => {
  if (text === null || !breaks) return []
  const box = labelBox(text, fontSize)
  const level = text.y - 4
  const middle = box.x + box.width / 2
  const stretch = stretchesOf(points).find(
    ({ from, to }) =>
      from[1] === level && to[1] === level && middle > Math.min(from[0], to[0]) && middle < Math.max(from[0], to[0])
  )
  if (stretch === undefined) throw new Error(`The label "${text.lines.join(" ")}" does not stand on its line.`)
  return [{ stretch: stretch.index, at: [middle, level], half: box.width / 2 + 6 }]
}

const routed = (edge: ChartEdge, lane: Draft["lane"], route: Route): Draft => ({
  edge,
  lane,
  points: route.points,
  text:
    route.label === undefined
      ? null
      : placedLabel(route.label.lines ?? [edge.label], route.label.at, route.label.anchor),
  breaks: route.label?.break ?? false,
  short: edge.stub
})

/** Throws with the names of what lacks a place or has one without being in the machine. */
export const drawingOf = (chart: Chart, placement: Placement): Drawing => {
  const { fontSize, partial } = placement
  const unplaced = chart.nodes.filter(({ id }) => placement.nodes[id] === undefined).map(({ id }) => id)
  if (!partial && unplaced.length > 0) {
    throw new Error(`No place for the state ${listed(unplaced)}: give it one in ui/chart/widePlacement.ts.`)
  }
  const known = new Set([...chart.nodes, ...chart.edges].map(({ id }) => id))
  const gone = [placement.nodes, placement.routes, placement.stubs]
    .flatMap((places) => Object.keys(places))
    .filter((id) => !known.has(id))
  if (gone.length > 0) throw new Error(`The machine no longer has ${listed(gone)}: take it out of the placement.`)

  const nodes = chart.nodes.flatMap((node): Array<PlacedNode> => {
    const place = placement.nodes[node.id]
    return place === undefined ? [] : [{ ...node, lane: place.lane, form: place.form, box: boxOf(place) }]
  })

  const stubsAt = Map.groupBy(
    chart.edges.filter(({ id }) => placement.routes[id] === undefined),
    ({ from }) => from
  )
  const drafts = chart.edges.flatMap((edge): Array<Draft> => {
    const place = placement.nodes[edge.from]
    if (place === undefined) return []
    const route = placement.routes[edge.id]
    if (route !== undefined) return [routed(edge, place.lane, route)]
    if (partial) return []
    const siblings = stubsAt.get(edge.from) ?? []
    const [x, y, width, height] = place.at
    const stubs = placement.stubs[edge.from] ?? { side: "below", at: [x + 10, y + height], room: width }
    const stub = stubOf(edge, stubs, siblings.indexOf(edge), siblings.length, fontSize)
    return [{ edge, lane: place.lane, ...stub, breaks: false, short: true }]
  })

  const edges = drafts.map((draft): RoutedEdge => {
    const crossings = drafts
      .filter((other) => other !== draft && other.lane === draft.lane)
      .flatMap((other) => gapsUnder(draft.points, other.points))
    const gaps = [...crossings, ...gapForLabel(draft, fontSize)]
    return {
      ...draft.edge,
      lane: draft.lane,
      line: lineOf(draft.points, gaps),
      head: headOf(draft.points),
      text: draft.text,
      short: draft.short
    }
  })
  return { size: placement.size, nodes, edges }
}
