/** `GET /system/info`, all profiles. */
import { canAgent } from "#core/agentAbilities.ts"
import type { PackageFormat } from "#core/Package.ts"
import { booleanOf, isObject, textOf, unwrap } from "./json.ts"

export interface SystemInfo {
  readonly hostname: string | null
  readonly os: string | null
  readonly os_version: string | null
  readonly kernel: string | null
  readonly architecture: string | null
  /** The marker as the agent reads it; see `rebootNeeded` for what it is worth. */
  readonly pending_reboot: boolean | null
  /** Null where the agent does not look. */
  readonly package_db_clean: boolean | null
}

/** Undefined when not one of the fields is there. */
export const decodeSystemInfo = (body: unknown): SystemInfo | undefined => {
  const data = unwrap(body)
  if (!isObject(data)) return undefined
  const info = {
    hostname: textOf(data["hostname"]),
    os: textOf(data["os"]),
    os_version: textOf(data["os_version"]),
    kernel: textOf(data["kernel"]),
    architecture: textOf(data["architecture"], 64),
    pending_reboot: booleanOf(data["pending_reboot"]),
    package_db_clean: booleanOf(data["package_db_clean"])
  }
  return info.os === null && info.hostname === null && info.kernel === null ? undefined : info
}

const DEB = /debian|ubuntu|mint|raspbian|pop!_os|kali|devuan|elementary|zorin/
const RPM = /red hat|rhel|centos|rocky|alma|fedora|oracle|suse|amazon|scientific|eurolinux|mageia/

/** By the distribution's name; `other` (Alpine, Arch, unknown) means that versions can only be compared for equality. */
export const packageFormat = (os: string | null): PackageFormat => {
  const name = os?.toLowerCase() ?? ""
  if (DEB.test(name)) return "deb"
  return RPM.test(name) ? "rpm" : "other"
}

/** Agents before 2.5.5 know one distribution's marker only: their yes counts, their no cannot be known. */
export const rebootNeeded = (info: SystemInfo, agentVersion: string | null): boolean | null => {
  if (info.pending_reboot === true) return true
  return canAgent(agentVersion, "reboot_need") ? info.pending_reboot : null
}
