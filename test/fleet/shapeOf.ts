/**
 * The shape of a JSON value: its keys in order and the kinds of its leaves. `null` is a kind of its own; a list has the
 * shape of its first element.
 */
export const shapeOf = (value: unknown): unknown => {
  if (value === null) return "null"
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])]
  if (typeof value === "object") return Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)])
  return typeof value
}

/** Whether a value has a shape; a null on either side and an empty list on either side fit anything. */
export const fitsShape = (actual: unknown, expected: unknown): boolean => {
  if (actual === "null" || expected === "null") return true
  if (!Array.isArray(actual) || !Array.isArray(expected)) return actual === expected
  if (actual.length === 0 || expected.length === 0) return true
  return actual.length === expected.length && actual.every((inner, index) => fitsShape(inner, expected[index]))
}
