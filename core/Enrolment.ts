/** Agents that ask to join: what they send, what they are answered, and the queue in which an administrator decides. */
import { Schema } from "effect"
import { DisplayName, Port } from "./Host.ts"
import { EnrolmentId, GroupId, HostId } from "./Ids.ts"
import { Timestamp } from "./Timestamp.ts"

/** A request, its token and its bundle end this long after the agent asked; agents give up polling then. */
export const ENROLMENT_HOURS = 24
/** A bundle can be fetched again for this long after the first time: the answer may have been lost on its way. */
export const FETCH_GRACE_MINUTES = 10

const fact = Schema.optional(Schema.NullOr(Schema.String.check(Schema.isMaxLength(500))))
const anythingElse = Schema.Record(Schema.String, Schema.Unknown)

/** As agents send it. Keys not named here are ignored: newer agents may send more. */
export const EnrolRequest = Schema.StructWithRest(
  Schema.Struct({
    machine_id: Schema.String.check(
      Schema.isPattern(/^[0-9a-fA-F]{32}$/, { expected: "the 32 hexadecimal digits of /etc/machine-id" })
    ),
    fqdn: Schema.String.check(
      Schema.isPattern(/^(?=.{1,253}$)[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,62})(\.[a-zA-Z0-9_][a-zA-Z0-9_-]{0,62})*\.?$/, {
        expected: "a host name"
      })
    ),
    ip_address: Schema.String.check(Schema.isMaxLength(45)),
    os_details: Schema.optional(
      Schema.StructWithRest(
        Schema.Struct({
          distro: fact,
          version: fact,
          id_like: fact,
          codename: fact,
          kernel: fact,
          name: fact
        }),
        [anythingElse]
      )
    ),
    hostname: Schema.optional(Schema.NullOr(Schema.String.check(Schema.isMaxLength(253))))
  }),
  [anythingElse]
).annotate({ identifier: "EnrolRequest" })
export type EnrolRequest = typeof EnrolRequest.Type

/** Bare, without an envelope: agents read nothing else. */
export const EnrolAccepted = Schema.Struct({ polling_token: Schema.String }).annotate({ identifier: "EnrolAccepted" })

/** Always answered with 200, and with exactly these words: agents keep on polling at anything else. */
export const EnrolStatus = Schema.Union([
  Schema.Struct({ status: Schema.Literal("pending") }),
  Schema.Struct({
    status: Schema.Literal("approved"),
    ca_crt: Schema.String,
    server_crt: Schema.String,
    server_key: Schema.String,
    crl_pem: Schema.String
  }),
  Schema.Struct({ status: Schema.Literal("denied") }),
  Schema.Struct({ status: Schema.Literal("notfound") })
]).annotate({ identifier: "EnrolStatus" })
export type EnrolStatus = typeof EnrolStatus.Type

export const EnrolmentState = Schema.Literals(["pending", "approved", "denied", "expired"]).annotate({
  identifier: "EnrolmentState"
})
export type EnrolmentState = typeof EnrolmentState.Type

/** What is in the way of approving a request: a registered host, or another request for the same. */
export const EnrolmentConflict = Schema.Struct({
  kind: Schema.Literals(["fqdn", "address", "machine_id", "request"]),
  /** Null for a host the caller may not see, and for another request. */
  host_id: Schema.NullOr(HostId),
  enrolment_id: Schema.NullOr(EnrolmentId),
  name: Schema.NullOr(Schema.String)
}).annotate({ identifier: "EnrolmentConflict" })
export type EnrolmentConflict = typeof EnrolmentConflict.Type

/** What the machine says of its system; null where it says nothing. */
export const EnrolmentSystem = Schema.Struct({
  distro: Schema.NullOr(Schema.String),
  version: Schema.NullOr(Schema.String),
  kernel: Schema.NullOr(Schema.String)
})

export const Enrolment = Schema.Struct({
  id: EnrolmentId,
  state: EnrolmentState,
  machine_id: Schema.String,
  fqdn: Schema.String,
  address: Schema.String,
  hostname: Schema.NullOr(Schema.String),
  system: EnrolmentSystem,
  /** Where the request really came from; differs from `address` behind address translation. */
  source_address: Schema.String,
  /** How often the machine asked; each time its earlier token ended. */
  attempts: Schema.Int,
  created_at: Timestamp,
  asked_at: Timestamp,
  expires_at: Timestamp,
  decided_at: Schema.NullOr(Timestamp),
  decided_by: Schema.NullOr(Schema.String),
  host_id: Schema.NullOr(HostId),
  /** When the agent fetched its certificate for the first time. */
  first_fetched_at: Schema.NullOr(Timestamp),
  fetches: Schema.Int,
  /** Empty unless pending. */
  conflicts: Schema.Array(EnrolmentConflict)
}).annotate({ identifier: "Enrolment" })
export type Enrolment = typeof Enrolment.Type

export const Approval = Schema.Struct({
  display_name: Schema.optionalKey(DisplayName),
  group_ids: Schema.optionalKey(Schema.Array(GroupId).check(Schema.isMaxLength(50))),
  /** Where the agent listens; 12443 unless said otherwise. */
  agent_port: Schema.optionalKey(Port)
}).annotate({ identifier: "Approval" })
export type Approval = typeof Approval.Type

/** One sentence about each thing in the way, with what to do about it. */
export const conflictWords = ({ kind, name }: EnrolmentConflict): string => {
  const who = name ?? "a host you cannot see"
  switch (kind) {
    case "fqdn":
      return `${who} is registered under this name. Remove it, if this is the same machine installed anew.`
    case "address":
      return `${who} is registered at this address. Remove it or correct its address.`
    case "machine_id":
      return `${who} is this very machine, registered already. Remove it to let the machine join again.`
    case "request":
      return `${who} asks for the same with another request. Find out which one is right and deny the other.`
  }
}
