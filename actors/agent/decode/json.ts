/** Reads JSON from strangers: never throws, and hands on no text that PostgreSQL would refuse. */

export type JsonObject = Readonly<Record<string, unknown>>

/** A lone surrogate can only come from an escape; jsonb refuses it. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/

const wellFormed = (_key: string, value: unknown): unknown => (typeof value === "string" ? value.toWellFormed() : value)

/** Undefined when the text is not JSON. NUL becomes U+FFFD, as lone surrogates do. */
export const parseJson = (text: string): unknown => {
  const clean = text.includes("\\u0000") ? text.replaceAll("\\u0000", "\\ufffd") : text
  try {
    return SURROGATE_ESCAPE.test(clean) ? JSON.parse(clean, wellFormed) : JSON.parse(clean)
  } catch {
    return undefined
  }
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The answer's `data`, or the answer itself from an agent that sends it bare. */
export const unwrap = (body: unknown): unknown => {
  if (!isObject(body)) return body
  return "data" in body && ("success" in body || "error" in body) ? body["data"] : body
}

const shorten = (text: string, max: number): string => (text.length > max ? text.slice(0, max).toWellFormed() : text)

/** Text up to a length; null for anything else and for the empty string. */
export const textOf = (value: unknown, max = 256): string | null =>
  typeof value === "string" && value.length > 0 ? shorten(value, max) : null

/** With an architecture after a colon, as dpkg writes it; nothing that a shell or an option parser would read as more than a name. */
const PACKAGE_NAME = /^[a-zA-Z0-9_][a-zA-Z0-9+._:~@-]{0,255}$/

/** A package's name as package managers write it; null for anything else, since names from agents end up in orders. */
export const nameOf = (value: unknown): string | null =>
  typeof value === "string" && PACKAGE_NAME.test(value) ? value : null

export const numberOf = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null

export const booleanOf = (value: unknown): boolean | null => (typeof value === "boolean" ? value : null)

export const listOf = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

/** The strings among the entries, each cut, at most so many. */
export const textsOf = (value: unknown, max = 256, count = 1000): Array<string> => {
  const texts: Array<string> = []
  for (const entry of listOf(value)) {
    if (texts.length === count) break
    const text = textOf(entry, max)
    if (text !== null) texts.push(text)
  }
  return texts
}

/** Statuses and operations come as `timedout`, `timed_out`, `TimedOut`: lower case, letters only. */
export const foldWord = (value: unknown): string =>
  typeof value === "string"
    ? shorten(value, 64)
        .toLowerCase()
        .replaceAll(/[^a-z0-9]/g, "")
    : ""
