/** Where each part of a stacked bar stands, in percent of its width. Pure. */

export interface Part {
  readonly value: number
  readonly fill: "ok" | "warn" | "bad" | "run" | "idle" | "rest" | "hatch"
  readonly word: string
}

/** Nothing that exists may vanish: a part keeps at least this share of the bar. */
const LEAST_PERCENT = 0.6

export const placeParts = (parts: ReadonlyArray<Part>) => {
  const total = parts.reduce((sum, part) => sum + part.value, 0)
  const shown = parts.filter(({ value }) => value > 0)
  const wide = shown.map((part) => ({ part, width: Math.max(LEAST_PERCENT, (part.value / total) * 100) }))
  const sum = wide.reduce((all, { width }) => all + width, 0)
  let x = 0
  return wide.map(({ part, width }) => {
    const placed = { part, x, width: (width / sum) * 100 }
    x += placed.width
    return placed
  })
}
