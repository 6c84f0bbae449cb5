/** Lines of right angles as path data: round corners, gaps, and room for the arrow head. */
import type { Point } from "./Placement.ts"

/** Half a gap where a line passes under another. */
const crossingGap = 5
const corner = 7
const headLength = 5

export interface Gap {
  /** Number of the stretch, from the line's start. */
  readonly stretch: number
  readonly at: Point
  readonly half: number
}

interface Stretch {
  readonly index: number
  readonly from: Point
  readonly to: Point
}

export const stretchesOf = (points: ReadonlyArray<Point>): ReadonlyArray<Stretch> =>
  points.slice(1).flatMap((to, index) => {
    const from = points[index]
    return from === undefined ? [] : [{ index, from, to }]
  })

const isLevel = ({ from, to }: Stretch) => from[1] === to[1]
const strictlyBetween = (value: number, a: number, b: number) => value > Math.min(a, b) && value < Math.max(a, b)

/** The gaps that the upright stretches of one line need to pass under the level stretches of another. */
export const gapsUnder = (upright: ReadonlyArray<Point>, level: ReadonlyArray<Point>): ReadonlyArray<Gap> =>
  stretchesOf(upright)
    .filter((stretch) => !isLevel(stretch))
    .flatMap(({ index, from, to }) =>
      stretchesOf(level)
        .filter(isLevel)
        .filter(
          (other) =>
            strictlyBetween(from[0], other.from[0], other.to[0]) && strictlyBetween(other.from[1], from[1], to[1])
        )
        .map((other): Gap => ({ stretch: index, at: [from[0], other.from[1]], half: crossingGap }))
    )

const distance = (a: Point, b: Point) => Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1])
const towards = (from: Point, to: Point, by: number): Point => [
  from[0] + Math.sign(to[0] - from[0]) * by,
  from[1] + Math.sign(to[1] - from[1]) * by
]
const spell = ([x, y]: Point) => `${x} ${y}`

/** Path data from the first point to just before the last, where the arrow head begins. */
export const lineOf = (points: ReadonlyArray<Point>, gaps: ReadonlyArray<Gap>): string => {
  const stretches = stretchesOf(points)
  return stretches
    .flatMap(({ index, from, to }) => {
      const next = points[index + 2]
      const bend = next === undefined ? headLength : Math.min(corner, distance(from, to) / 2, distance(to, next) / 2)
      const end = towards(to, from, bend)
      const breaks = gaps
        .filter(({ stretch }) => stretch === index)
        .toSorted((a, b) => distance(from, a.at) - distance(from, b.at))
        .flatMap(({ at, half }) => [`L${spell(towards(at, from, half))}`, `M${spell(towards(at, to, half))}`])
      return [
        ...(index === 0 ? [`M${spell(from)}`] : []),
        ...breaks,
        `L${spell(end)}`,
        ...(next === undefined ? [] : [`Q${spell(to)} ${spell(towards(to, next, bend))}`])
      ]
    })
    .join("")
}

/** Where the arrow head's tip is and how far it is turned from pointing right. */
export const headOf = (points: ReadonlyArray<Point>): { x: number; y: number; turn: number } => {
  const last = stretchesOf(points).at(-1)
  if (last === undefined) throw new Error("A line needs two points.")
  const [x, y] = last.to
  const [fromX, fromY] = last.from
  const level = fromY === y
  return { x, y, turn: level ? (x > fromX ? 0 : 180) : y > fromY ? 90 : -90 }
}
