/** What a job would do on each host, before it does it. */
import { Schema } from "effect"
import { WaitReason } from "./Dispatch.ts"
import { LinkState } from "./HostState.ts"
import { HostId } from "./Ids.ts"
import { Change } from "./Package.ts"
import { Timestamp } from "./Timestamp.ts"

/** Whether the versions from before can be brought back, and why not where they cannot. */
export const UndoAnswer = Schema.Struct({
  answer: Schema.Literals(["yes", "partly", "no", "cannot_be_known"]),
  because: Schema.String
}).annotate({ identifier: "UndoAnswer" })
export type UndoAnswer = typeof UndoAnswer.Type

export const HeldPackage = Schema.Struct({
  name: Schema.String,
  hold_id: Schema.String,
  pattern: Schema.String,
  reason: Schema.String,
  until: Schema.NullOr(Timestamp)
}).annotate({ identifier: "HeldPackage" })
export type HeldPackage = typeof HeldPackage.Type

export const PlannedHost = Schema.Struct({
  host_id: HostId,
  host_name: Schema.String,
  wave: Schema.Int,
  /** Names and versions, from and to; null where the host's lists have not been read yet. */
  changes: Schema.NullOr(Schema.Array(Change)),
  held: Schema.Array(HeldPackage),
  reboot: Schema.Literals(["no", "yes", "if_needed", "cannot_be_known"]),
  link: LinkState,
  /** When it will start as far as can be said now; null with a reason. A later wave starts when the one before has ended. */
  starts_at: Schema.NullOr(Timestamp),
  waits_for: Schema.NullOr(WaitReason),
  /** Nothing will be sent, and why. */
  skipped: Schema.NullOr(Schema.Literals(["nothing_to_do", "all_held", "leaving", "parked"])),
  expected_seconds: Schema.Int,
  undo: UndoAnswer,
  /** For example "offline since 14:02" or "services cannot be checked". */
  warnings: Schema.Array(Schema.String)
}).annotate({ identifier: "PlannedHost" })
export type PlannedHost = typeof PlannedHost.Type

export const Plan = Schema.Struct({
  /** SHA-256 over hosts, names, from and to, reboot and wave; a job made with it runs this plan or says what differs. */
  hash: Schema.String,
  made_at: Timestamp,
  hosts_total: Schema.Int,
  changes_total: Schema.Int,
  waves: Schema.Array(Schema.Int),
  max_failed: Schema.NullOr(Schema.Int),
  hosts: Schema.Array(PlannedHost)
}).annotate({ identifier: "Plan" })
export type Plan = typeof Plan.Type
