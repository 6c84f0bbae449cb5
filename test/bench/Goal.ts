/** One figure that the product promises. */
export interface Goal {
  readonly name: string
  readonly value: number
  readonly limit: number
  readonly unit: string
}

export const meets = (goal: Goal): boolean => goal.value <= goal.limit

/** Three places where it matters, none where it does not. */
export const shown = (value: number): string =>
  Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2)

export const lineOf = (goal: Goal): string =>
  `${meets(goal) ? "PASS" : "FAIL"}  ${goal.name}: ${shown(goal.value)} ${goal.unit} (goal: at most ${shown(goal.limit)})`

/** Value below which the given share of the samples lies, by the nearest-rank rule. */
export const percentile = (samples: ReadonlyArray<number>, share: number): number => {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

export const median = (samples: ReadonlyArray<number>): number => {
  const sorted = [...samples].sort((a, b) => a - b)
  const half = sorted.length / 2
  return ((sorted[Math.floor(half)] ?? Number.NaN) + (sorted[Math.ceil(half) - 1] ?? Number.NaN)) / 2
}

/** What a bench reports: goals are judged, figures are only shown. */
export interface Report {
  readonly figure: (text: string) => void
  readonly goal: (goal: Goal) => void
}
