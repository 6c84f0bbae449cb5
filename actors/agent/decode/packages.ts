/** `GET /packages` and `GET /packages/{name}`. */
import { compareDeb, compareRpm } from "#core/Version.ts"
import type { InstalledPackage, PackageFormat } from "#core/Package.ts"
import { foldWord, isObject, listOf, nameOf, textOf, textsOf, unwrap } from "./json.ts"

const INSTALLED = new Set(["installed", "upgradable"])

const decodePackage = (value: unknown): InstalledPackage | undefined => {
  if (!isObject(value)) return undefined
  const name = nameOf(value["name"])
  const version = textOf(value["version"])
  if (name === null || version === null) return undefined
  const status = foldWord(value["status"])
  if (status !== "" && !INSTALLED.has(status)) return undefined
  const versions = value["available_versions"]
  return Array.isArray(versions) ? { name, version, available_versions: textsOf(versions) } : { name, version }
}

/** What is installed; available packages drop out. Undefined when there is no list. */
export const decodePackages = (body: unknown): ReadonlyArray<InstalledPackage> | undefined => {
  const data = unwrap(body)
  const list = Array.isArray(data) ? data : isObject(data) ? data["packages"] : undefined
  if (!Array.isArray(list) || (list.length > 0 && !list.some(isObject))) return undefined
  const packages: Array<InstalledPackage> = []
  for (const entry of listOf(list)) {
    const found = decodePackage(entry)
    if (found) packages.push(found)
  }
  return packages
}

/** Null when the agent knows the package but it is not installed. Undefined when it cannot be read. */
export const decodeOnePackage = (body: unknown): InstalledPackage | null | undefined => {
  const data = unwrap(body)
  const inner = isObject(data) && isObject(data["package"]) ? data["package"] : data
  if (!isObject(inner) || textOf(inner["name"]) === null) return undefined
  return decodePackage(inner) ?? null
}

/** Name to version; where several are installed side by side, as kernels are, the newest. */
export const installedVersions = (
  packages: ReadonlyArray<InstalledPackage>,
  format: PackageFormat
): Map<string, string> => {
  const compare = format === "rpm" ? compareRpm : compareDeb
  const versions = new Map<string, string>()
  for (const { name, version } of packages) {
    const known = versions.get(name)
    if (known === undefined || compare(version, known) > 0) versions.set(name, version)
  }
  return versions
}
