/** Rows of the audit log as they are listed and filtered. */
import { Schema } from "effect"
import { Timestamp } from "../Timestamp.ts"

export const AuditActorKind = Schema.Literals(["user", "token", "machine", "anonymous"])

export const AuditRow = Schema.Struct({
  seq: Schema.Int,
  /** With six decimals, as it is hashed. */
  at: Timestamp,
  actor_kind: AuditActorKind,
  actor_id: Schema.String,
  actor_name: Schema.String,
  action: Schema.String,
  object_type: Schema.String,
  object_id: Schema.String,
  /** The object's name today, where it still has one. */
  object_name: Schema.NullOr(Schema.String),
  before: Schema.Unknown,
  after: Schema.Unknown,
  request_id: Schema.String,
  source_address: Schema.String,
  prev_hash: Schema.String,
  row_hash: Schema.String
}).annotate({ identifier: "AuditRow" })
export type AuditRow = typeof AuditRow.Type

const text = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(200))
const Moment = Schema.String.check(
  Schema.isMaxLength(40),
  Schema.makeFilter(
    (moment) =>
      (/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2}))?$/.test(moment) &&
        !Number.isNaN(Date.parse(moment))) ||
      "must be a moment such as 2026-11-22T08:00:00Z or a day such as 2026-11-22"
  )
)

/** All that are given have to hold. */
export const auditPeriod = {
  /** Inclusive. */
  from: Schema.optional(Moment),
  /** Exclusive. */
  to: Schema.optional(Moment)
}

export const auditFilter = {
  ...auditPeriod,
  /** Name or id of whoever did it. */
  actor: Schema.optional(text),
  /** An action such as `host.edit`, or the beginning of several such as `host.`. */
  action: Schema.optional(text),
  /** A type such as `host`, an id, or both as `host/01a2…`. */
  object: Schema.optional(text),
  /** In names, ids, addresses, request ids and what changed. */
  search: Schema.optional(text)
}
const Filter = Schema.Struct(auditFilter)
export type AuditFilter = typeof Filter.Type
