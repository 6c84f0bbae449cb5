/** What verification can find wrong with the audit log, and the words for it. */
import { Schema } from "effect"

export const FindingKind = Schema.Literals([
  "body_altered",
  "hash_altered",
  "row_deleted",
  "rows_swapped",
  "row_inserted",
  "sequence_doubled",
  "sequence_gap",
  "tail_cut",
  "tail_cut_head_rewritten",
  "suffix_rehashed",
  "log_replaced",
  "checkpoint_altered",
  "anchor_altered"
])
export type FindingKind = typeof FindingKind.Type

export const Finding = Schema.Struct({
  kind: FindingKind,
  /** The first row that is not as it was written; for a checkpoint the row it names. */
  first_seq: Schema.Int,
  message: Schema.String
}).annotate({ identifier: "AuditFinding" })
export type Finding = typeof Finding.Type

const words: Readonly<Record<FindingKind, (seq: number) => string>> = {
  body_altered: (seq) => `Row ${seq} was altered after it was written: it does not match its own hash.`,
  hash_altered: (seq) => `The hash of row ${seq} was altered: the row after it carries another one.`,
  row_deleted: (seq) => `Row ${seq} was deleted: the chain is broken there.`,
  rows_swapped: (seq) => `Row ${seq} and a later one were swapped.`,
  row_inserted: (seq) => `Row ${seq} was inserted past the program.`,
  sequence_doubled: (seq) => `There is more than one row ${seq}.`,
  sequence_gap: (seq) => `There is no row ${seq}, though the chain goes on: the rows after it were numbered anew.`,
  tail_cut: (seq) => `The rows from ${seq} on are gone: the log's head names a later one.`,
  tail_cut_head_rewritten: (seq) =>
    `The rows from ${seq} on are gone and the head was rewritten: a signed checkpoint names a later row.`,
  suffix_rehashed: (seq) =>
    `Rows were altered and hashed anew, from row ${seq} on at the earliest: a signed checkpoint has another hash.`,
  log_replaced: (seq) => `The log was replaced by an older one or that of another installation, from row ${seq} on.`,
  checkpoint_altered: (seq) => `The checkpoint for row ${seq} was altered, replaced or removed.`,
  anchor_altered: (seq) =>
    `The anchor of the pruned rows, before row ${seq}, is not one that a signed checkpoint names.`
}

export const finding = (kind: FindingKind, first_seq: number, more = ""): Finding => ({
  kind,
  first_seq,
  message: more === "" ? words[kind](first_seq) : `${words[kind](first_seq)} ${more}`
})
