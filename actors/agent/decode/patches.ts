/** `GET /patches`, with the versions that APT agents swap put right. */
import type { Patch, Severity } from "#core/Package.ts"
import { booleanOf, isObject, type JsonObject, nameOf, textOf, textsOf, unwrap } from "./json.ts"

export interface PatchList {
  readonly patches: ReadonlyArray<Patch>
  /** The agent's word on the whole list; null where it gives none. */
  readonly requires_reboot: boolean | null
}

/** On APT the new version stands in `current_version` and this in `available_version`. */
const ARCHITECTURES = new Set(
  "all any amd64 arm64 armel armhf i386 i686 loong64 mips64el mipsel noarch ppc64el ppc64le riscv64 s390x x86_64 aarch64".split(
    " "
  )
)

const SEVERITIES: Readonly<Record<string, Severity>> = {
  critical: "critical",
  urgent: "critical",
  high: "high",
  important: "high",
  medium: "medium",
  moderate: "medium",
  low: "low",
  minor: "low"
}

const versions = (entry: JsonObject): Pick<Patch, "current_version" | "available_version"> => {
  const current_version = textOf(entry["current_version"])
  const available_version = textOf(entry["available_version"])
  return available_version !== null && ARCHITECTURES.has(available_version.toLowerCase())
    ? { current_version: null, available_version: current_version }
    : { current_version, available_version }
}

const decodePatch = (value: unknown): Patch | undefined => {
  if (!isObject(value)) return undefined
  const name = nameOf(value["name"])
  if (name === null) return undefined
  const severity = SEVERITIES[textOf(value["severity"])?.toLowerCase() ?? ""] ?? "unknown"
  return {
    name,
    ...versions(value),
    severity,
    security: severity === "critical" || severity === "high",
    requires_reboot: booleanOf(value["requires_reboot"]) ?? false,
    description: textOf(value["description"], 2000) ?? "",
    cve_ids: textsOf(value["cve_ids"], 32, 200)
  }
}

/** A name counts once. Undefined when there is no list, or an entry whose package cannot be named: left out, it would seem patched. */
export const decodePatches = (body: unknown): PatchList | undefined => {
  const data = unwrap(body)
  const list = Array.isArray(data) ? data : isObject(data) ? data["patches"] : undefined
  if (!Array.isArray(list)) return undefined
  const patches = new Map<string, Patch>()
  for (const entry of list) {
    const patch = decodePatch(entry)
    if (patch === undefined) return undefined
    if (!patches.has(patch.name)) patches.set(patch.name, patch)
  }
  return {
    patches: [...patches.values()],
    requires_reboot: isObject(data) ? booleanOf(data["requires_reboot"]) : null
  }
}
