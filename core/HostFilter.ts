/** Which hosts are meant: the host list's filter, and the target of a job that names none. */
import { Schema } from "effect"
import { HostSummary } from "./HostState.ts"
import { GroupId } from "./Ids.ts"

const text = Schema.String.check(Schema.isMaxLength(200))

/** All conditions have to hold; `status` and `os` hold where one of theirs does. */
export const hostFilter = {
  /** Part of the name, the FQDN or the address. */
  q: Schema.optional(text),
  status: Schema.optional(Schema.Array(HostSummary)),
  os: Schema.optional(Schema.Array(text)),
  group: Schema.optional(GroupId),
  pending: Schema.optional(Schema.Literals(["security", "any"])),
  reboot_needed: Schema.optional(Schema.Boolean)
}

export const HostFilter = Schema.Struct(hostFilter).annotate({ identifier: "HostFilter" })
export type HostFilter = typeof HostFilter.Type
