/** JSON that every parser reads alike: RFC 8259 with the liberties of RFC 7493 (I-JSON) taken away. */
import { limits } from "#core/Limits.ts"

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** The text, or null where the bytes are no UTF-8 or begin with a byte order mark. */
export const strictText = (bytes: Uint8Array): string | null => {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return null
  try {
    return decoder.decode(bytes)
  } catch {
    return null
  }
}

/** Index after the string that begins at `start`; the text's length where it never ends. */
const endOfString = (text: string, start: number): number => {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x5c) at += 1
    else if (code === 0x22) return at + 1
  }
  return text.length
}

/** What stands between two quotes; null where it is no JSON. */
const wordOf = (raw: string): string | null => {
  if (!raw.includes("\\")) return raw
  try {
    return String(JSON.parse(`"${raw}"`))
  } catch {
    return null
  }
}

const number = /[-+0-9.eE]+/y

/** Numbers that other programs would read as another number. */
const isExact = (token: string): boolean => {
  const value = Number(token)
  if (!Number.isFinite(value)) return false
  return /[.eE]/.test(token) || Number.isSafeInteger(value)
}

/**
 * What is wrong with a JSON text that `JSON.parse` would take: a name twice in one object, too deep, a number that is not exact, a
 * text that PostgreSQL cannot keep.
 * Null where nothing is. Text that is no JSON at all is left to the parser.
 */
export const strictJsonFault = (text: string): string | null => {
  /** Names of each open object; null for an array. */
  const open: Array<Set<string> | null> = []
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at)
    if (code === 0x22) {
      const end = endOfString(text, at)
      const names = open.at(-1)
      let next = end
      while (next < text.length && text.charCodeAt(next) <= 0x20) next += 1
      const word = wordOf(text.slice(at + 1, end - 1))
      if (word === null) return null
      if (word.includes("\0") || !word.isWellFormed()) return "A text holds NUL or half a character."
      if (names && text.charCodeAt(next) === 0x3a) {
        if (names.has(word)) return "A name stands twice in one object."
        names.add(word)
      }
      at = end
    } else if (code === 0x7b || code === 0x5b) {
      open.push(code === 0x7b ? new Set() : null)
      if (open.length > limits.json_depth) return `The body is nested deeper than ${limits.json_depth} levels.`
      at += 1
    } else if (code === 0x7d || code === 0x5d) {
      open.pop()
      at += 1
    } else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      number.lastIndex = at
      const token = number.exec(text)?.[0] ?? "0"
      if (!isExact(token)) return "A number is larger than JSON can carry exactly."
      at += token.length
    } else at += 1
  }
  return null
}
