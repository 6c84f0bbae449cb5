import { describe, expect, it } from "vitest"
import type { Box, Drawing, Lane, RoutedEdge } from "#ui/chart/ChartLayout.ts"
import { labelBox } from "#ui/chart/drawingOf.ts"
import { layout } from "#ui/chart/layout.ts"
import { phonePlacement } from "#ui/chart/phonePlacement.ts"
import { fitText, textWidth } from "#ui/chart/textWidth.ts"
import { widePlacement } from "#ui/chart/widePlacement.ts"

interface Named {
  readonly name: string
  readonly box: Box
}

const meet = (a: Box, b: Box) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height

const holds = (outer: Box, inner: Box) =>
  inner.x >= outer.x &&
  inner.y >= outer.y &&
  inner.x + inner.width <= outer.x + outer.width &&
  inner.y + inner.height <= outer.y + outer.height

/** The straight parts of a line, as thin boxes. */
const strokesOf = (edge: RoutedEdge): ReadonlyArray<Named> => {
  const strokes: Array<Named> = []
  let at: readonly [number, number] = [0, 0]
  for (const [, letter, spelling] of edge.line.matchAll(/([MLQ])([^MLQ]+)/g)) {
    const numbers = (spelling ?? "").trim().split(/\s+/).map(Number)
    const to: readonly [number, number] = [numbers.at(-2) ?? 0, numbers.at(-1) ?? 0]
    if (letter === "L") {
      const box = {
        x: Math.min(at[0], to[0]),
        y: Math.min(at[1], to[1]),
        width: Math.abs(at[0] - to[0]) + 0.1,
        height: Math.abs(at[1] - to[1]) + 0.1
      }
      strokes.push({ name: edge.id, box })
    }
    at = to
  }
  return strokes
}

const partsOf = (drawing: Drawing, lane: Lane, fontSize: number) => {
  const edges = drawing.edges.filter((edge) => edge.lane === lane)
  const nodes = drawing.nodes.filter((node) => node.lane === lane)
  return {
    labels: edges.flatMap(({ id, text }): Array<Named> =>
      text === null ? [] : [{ name: id, box: labelBox(text, fontSize) }]
    ),
    states: nodes
      .filter(({ form }) => form === "card" || form === "chip")
      .map(({ id, box }): Named => ({ name: id, box })),
    strokes: edges.flatMap(strokesOf),
    view: { x: 0, y: 0, ...drawing.size[lane] }
  }
}

const clashes = (some: ReadonlyArray<Named>, others: ReadonlyArray<Named>) =>
  some.flatMap((one) =>
    others.filter((other) => one !== other && meet(one.box, other.box)).map((other) => `${one.name} on ${other.name}`)
  )

describe.each([
  ["wide link lane", layout.wide, "link", widePlacement.fontSize],
  ["wide work lane", layout.wide, "work", widePlacement.fontSize],
  ["phone work lane", layout.phone, "work", phonePlacement.fontSize]
] as const)("the %s", (_, drawing, lane, fontSize) => {
  const { labels, states, strokes, view } = partsOf(drawing, lane, fontSize)

  it("has no label on a state, on another label or on a line", () => {
    expect(clashes(labels, states)).toEqual([])
    expect(clashes(labels, labels)).toEqual([])
    expect(clashes(labels, strokes)).toEqual([])
  })

  it("has no state on another and no line through a state", () => {
    const inner = states.map(({ name, box }) => ({
      name,
      box: { x: box.x + 0.5, y: box.y + 0.5, width: box.width - 1, height: box.height - 1 }
    }))
    expect(clashes(states, states)).toEqual([])
    expect(clashes(strokes, inner)).toEqual([])
  })

  it("leaves a gap where lines cross", () => {
    const drawn = strokes.filter(({ box }) => box.width > 1 || box.height > 1)
    const level = drawn.filter(({ box }) => box.width > box.height)
    const upright = drawn.filter(({ box }) => box.width < box.height)
    const touching = clashes(level, upright).filter((clash) => {
      const [one, other] = clash.split(" on ")
      return (
        one !== other &&
        drawing.edges.find(({ id }) => id === one)?.from !== drawing.edges.find(({ id }) => id === other)?.from
      )
    })
    expect(touching).toEqual([])
  })

  it("keeps all of it within its frame", () => {
    for (const { name, box } of [...labels, ...states, ...strokes]) expect(holds(view, box), name).toBe(true)
  })
})

describe("text that must fit", () => {
  it("stays whole where there is room and ends at a word where there is not", () => {
    expect(fitText("idle: cancelled", 200, 11)).toBe("idle: cancelled")
    const short = fitText("failed: refused, tried too often", 120, 11)
    expect(short).toBe("failed: refused…")
    expect(textWidth(short, 11)).toBeLessThanOrEqual(120)
  })
})
