/** The fleet in numbers, for the dashboard. */
import { Schema } from "effect"
import { HostSummary } from "./HostState.ts"
import { HostId } from "./Ids.ts"
import { Timestamp } from "./Timestamp.ts"

export const FleetStatus = Schema.Struct({
  /** The moment these numbers were counted. */
  as_of: Timestamp,
  hosts_total: Schema.Int,
  by_summary: Schema.Record(HostSummary, Schema.Int),
  pending_patches: Schema.Int,
  security_patches: Schema.Int,
  hosts_with_pending: Schema.Int,
  hosts_with_security: Schema.Int,
  hosts_needing_reboot: Schema.Int,
  /** Compliant: read within 24 h, no security patch older than its target, no reboot owed. Unknown is never counted as compliant. */
  compliance: Schema.Struct({ compliant: Schema.Int, not_compliant: Schema.Int, unknown: Schema.Int }),
  jobs: Schema.Struct({ running: Schema.Int, waiting: Schema.Int }),
  worker: Schema.Struct({
    /** The active worker reported within 90 s. */
    fresh: Schema.Boolean,
    beat_at: Schema.NullOr(Timestamp),
    /** How far the database's clock is ahead of the active worker's; from 60 on, either way, nothing is started. */
    clock_skew_seconds: Schema.Int,
    /** `single`: one database role owns everything, so nothing but the program's own care keeps it from the audit log. */
    database_roles: Schema.Literals(["separate", "single"]),
    /** Every worker that reported within 90 s; more than one is a hot standby, or a mistake. */
    workers: Schema.Array(Schema.Struct({ id: Schema.String, role: Schema.Literals(["active", "standby"]) }))
  }),
  /** Open alarms, one line a kind however many hosts are in it. */
  incidents: Schema.Array(
    Schema.Struct({
      kind: Schema.String,
      members: Schema.Int,
      /** The sentence of the first. */
      message: Schema.String,
      /** The first host; null where it is about the manager itself. */
      host: Schema.NullOr(Schema.Struct({ id: HostId, display_name: Schema.String })),
      since: Timestamp
    })
  ),
  /** What a person should look at, worst first. */
  attention: Schema.Array(
    Schema.Struct({
      kind: Schema.Literals(["unresolved", "failed", "unreachable", "degraded", "security", "reboot_needed", "parked"]),
      hosts: Schema.Int
    })
  )
}).annotate({ identifier: "FleetStatus" })
export type FleetStatus = typeof FleetStatus.Type
