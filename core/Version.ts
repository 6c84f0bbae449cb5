/** Version order of the two package families; a patch counts as installed when the version found is not older than planned. */
import type { Change, PackageFormat } from "./Package.ts"

const debRank = (char: string | undefined): number => {
  if (char === "~") return -1
  if (char === undefined || /[0-9]/.test(char)) return 0
  return /[a-zA-Z]/.test(char) ? char.charCodeAt(0) : char.charCodeAt(0) + 256
}

const compareNumbers = (left: string, right: string): number => {
  const a = left.replace(/^0+/, "")
  const b = right.replace(/^0+/, "")
  if (a.length !== b.length) return a.length < b.length ? -1 : 1
  return a < b ? -1 : a > b ? 1 : 0
}

const digits = (text: string, at: number): string => /^[0-9]*/.exec(text.slice(at))?.[0] ?? ""

const compareDebPart = (left: string, right: string): number => {
  let i = 0
  let j = 0
  while (i < left.length || j < right.length) {
    while ((i < left.length && !/[0-9]/.test(left[i] ?? "")) || (j < right.length && !/[0-9]/.test(right[j] ?? ""))) {
      const order = debRank(left[i]) - debRank(right[j])
      if (order !== 0) return Math.sign(order)
      i++
      j++
    }
    const a = digits(left, i)
    const b = digits(right, j)
    const order = compareNumbers(a, b)
    if (order !== 0) return order
    i += a.length
    j += b.length
  }
  return 0
}

const splitDeb = (version: string) => {
  const colon = version.indexOf(":")
  const epoch = colon < 0 ? "0" : version.slice(0, colon)
  const rest = colon < 0 ? version : version.slice(colon + 1)
  const dash = rest.lastIndexOf("-")
  return { epoch, upstream: dash < 0 ? rest : rest.slice(0, dash), revision: dash < 0 ? "0" : rest.slice(dash + 1) }
}

/** Debian Policy 5.6.12, as dpkg does it. Below, equal or above zero. */
export const compareDeb = (left: string, right: string): number => {
  const a = splitDeb(left)
  const b = splitDeb(right)
  return (
    compareNumbers(a.epoch, b.epoch) || compareDebPart(a.upstream, b.upstream) || compareDebPart(a.revision, b.revision)
  )
}

const rpmSegments = (text: string): Array<string> => text.match(/[0-9]+|[a-zA-Z]+|~|\^/g) ?? []

const compareRpmPart = (left: string, right: string): number => {
  const a = rpmSegments(left)
  const b = rpmSegments(right)
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const x = a[i]
    const y = b[i]
    if (x === y) continue
    if (x === "~") return -1
    if (y === "~") return 1
    if (x === "^") return y === undefined ? 1 : -1
    if (y === "^") return x === undefined ? -1 : 1
    if (x === undefined) return -1
    if (y === undefined) return 1
    const xNumber = /^[0-9]/.test(x)
    const yNumber = /^[0-9]/.test(y)
    if (xNumber !== yNumber) return xNumber ? 1 : -1
    const order = xNumber ? compareNumbers(x, y) : x < y ? -1 : 1
    if (order !== 0) return order
  }
  return 0
}

/** rpm's rpmvercmp over epoch, version and release. Below, equal or above zero. */
export const compareRpm = (left: string, right: string): number => {
  const a = splitDeb(left)
  const b = splitDeb(right)
  return (
    compareNumbers(a.epoch, b.epoch) || compareRpmPart(a.upstream, b.upstream) || compareRpmPart(a.revision, b.revision)
  )
}

/** Whether the version read from the host fulfils the change; an unknown target only asks that something else is installed. */
export const isReached = (change: Change, installed: string | null, format: PackageFormat): boolean => {
  if (change.goal === "absent") return installed === null
  if (installed === null) return false
  if (change.goal === "present") return true
  if (change.goal === "exactly") return installed === change.to
  if (change.to === null) return installed !== change.from
  if (installed === change.to) return true
  if (format === "deb") return compareDeb(installed, change.to) >= 0
  if (format === "rpm") return compareRpm(installed, change.to) >= 0
  return false
}
