/** "With this many rows, the last one had this hash": signed by the worker, kept where the database's owner cannot write. */
import { Schema } from "effect"
import { Timestamp } from "../Timestamp.ts"

const Hash = Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/))

export const Checkpoint = Schema.Struct({
  /** The installation's id. */
  origin: Schema.String,
  /** Number of the last row it covers. */
  size: Schema.Int,
  row_hash: Hash,
  signed_at: Timestamp,
  /** SHA-256 of the signed text of the checkpoint before; zeros for the first. */
  previous: Hash,
  /** First 16 digits of the SHA-256 of the public key's DER form. */
  key_id: Schema.String.check(Schema.isPattern(/^[0-9a-f]{16}$/)),
  /** Ed25519 over `checkpointText`, base64. */
  signature: Schema.String
}).annotate({ identifier: "AuditCheckpoint" })
export type Checkpoint = typeof Checkpoint.Type

/** What is signed: six lines, each ended by a line feed. */
export const checkpointText = (point: Omit<Checkpoint, "key_id" | "signature">): string =>
  [
    "patch-manager audit checkpoint 1",
    `origin ${point.origin}`,
    `size ${point.size}`,
    `row_hash ${point.row_hash}`,
    `time ${point.signed_at}`,
    `previous ${point.previous}`,
    ""
  ].join("\n")

/** A checkpoint is made at the latest after this many rows or seconds with new ones. */
export const CHECKPOINT_ROWS = 1000
export const CHECKPOINT_SECONDS = 60
