/** What a run really changed on a host: the full package list before against the one after. */
import type { Change, InstalledPackage } from "./Package.ts"

const versionsByName = (packages: ReadonlyArray<InstalledPackage>): Map<string, Array<string>> => {
  const versions = new Map<string, Array<string>>()
  for (const { name, version } of packages) {
    const known = versions.get(name)
    if (known === undefined) versions.set(name, [version])
    else if (!known.includes(version)) known.push(version)
  }
  return versions
}

/**
 * Every package whose version differs, by name; `from` null is newly installed, `to` null removed. Versions installed side by
 * side, as kernels are, count one by one.
 */
export const packageEffects = (
  before: ReadonlyArray<InstalledPackage>,
  after: ReadonlyArray<InstalledPackage>
): Array<Change> => {
  const was = versionsByName(before)
  const is = versionsByName(after)
  return [...new Set([...was.keys(), ...is.keys()])].sort().flatMap((name) => {
    const gone = (was.get(name) ?? []).filter((version) => !is.get(name)?.includes(version))
    const come = (is.get(name) ?? []).filter((version) => !was.get(name)?.includes(version))
    return Array.from({ length: Math.max(gone.length, come.length) }, (_, n) => ({
      name,
      from: gone[n] ?? null,
      to: come[n] ?? null
    }))
  })
}
