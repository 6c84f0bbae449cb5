/** Counts with separators, and words that agree with them. */
const numbers = new Intl.NumberFormat("en-GB")

export const count = (value: number): string => numbers.format(value)

export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`

/** One decimal; 100 % only when it is whole. */
export const percent = (part: number, whole: number): string => {
  if (whole === 0) return "–"
  const share = (part / whole) * 100
  const shown = part < whole ? Math.min(99.9, Math.round(share * 10) / 10) : 100
  return `${Number.isInteger(shown) ? shown : shown.toFixed(1)} %`
}
