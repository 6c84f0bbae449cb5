/** Runs of the verification, and how the log is guarded now. */
import { Schema } from "effect"
import { AuditVerificationId } from "../Ids.ts"
import { Timestamp } from "../Timestamp.ts"
import { Checkpoint } from "./Checkpoint.ts"
import { Finding } from "./Finding.ts"

export const VerificationState = Schema.Literals(["queued", "running", "passed", "failed", "cancelled"])
export type VerificationState = typeof VerificationState.Type

export const Verification = Schema.Struct({
  id: AuditVerificationId,
  cause: Schema.Literals(["periodic", "request"]),
  requested_by: Schema.String,
  requested_at: Timestamp,
  state: VerificationState,
  started_at: Schema.NullOr(Timestamp),
  finished_at: Schema.NullOr(Timestamp),
  cancel_requested: Schema.Boolean,
  rows_total: Schema.Int,
  rows_done: Schema.Int,
  checkpoints_checked: Schema.Int,
  /** Empty means that nothing is wrong, once the run has passed. */
  findings: Schema.Array(Finding),
  /** What is worth knowing and no tampering, such as a clock that was set back. */
  notices: Schema.Array(Schema.String)
}).annotate({ identifier: "AuditVerification" })
export type Verification = typeof Verification.Type

export const AuditStatus = Schema.Struct({
  /** The installation's id, which its checkpoints carry. */
  origin: Schema.String,
  head: Schema.Struct({ seq: Schema.Int, row_hash: Schema.String }),
  /** Rows up to this one were pruned; 0 for none. */
  pruned_to_seq: Schema.Int,
  last_checkpoint: Schema.NullOr(Checkpoint),
  outside: Schema.Struct({
    checked_at: Schema.NullOr(Timestamp),
    file: Schema.NullOr(Schema.String),
    size: Schema.NullOr(Schema.Int),
    /** Whether whoever owns the database cannot write the checkpoints outside. */
    independent: Schema.Boolean,
    reason: Schema.String,
    syslog_target: Schema.NullOr(Schema.String),
    syslog_sent_at: Schema.NullOr(Timestamp),
    syslog_failure: Schema.NullOr(Schema.String)
  }),
  keys: Schema.Array(Schema.Struct({ key_id: Schema.String, public_key_pem: Schema.String, first_used_at: Timestamp })),
  last_verification: Schema.NullOr(Verification)
}).annotate({ identifier: "AuditStatus" })
export type AuditStatus = typeof AuditStatus.Type
