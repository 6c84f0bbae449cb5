/** The byte string over which a row of the audit log is hashed; docs/audit.md says it in words. */

/** One row as it is hashed: every field as text, `before` and `after` as PostgreSQL writes them, hashes in hexadecimal. */
export interface AuditText {
  readonly seq: string
  /** UTC with six decimals. */
  readonly at: string
  readonly actor_kind: string
  readonly actor_id: string
  readonly actor_name: string
  readonly action: string
  readonly object_type: string
  readonly object_id: string
  readonly before: string | null
  readonly after: string | null
  readonly request_id: string
  readonly source_address: string
  readonly prev_hash: string
}

export const canonicalFields = [
  "seq",
  "at",
  "actor_kind",
  "actor_id",
  "actor_name",
  "action",
  "object_type",
  "object_id",
  "before",
  "after",
  "request_id",
  "source_address",
  "prev_hash"
] as const satisfies ReadonlyArray<keyof AuditText>

const utf8 = new TextEncoder()

const fieldOf = (text: string | null): string => (text === null ? "-" : `${utf8.encode(text).length}:${text}`)

export const canonical = (row: AuditText): string => canonicalFields.map((name) => fieldOf(row[name])).join("")

/** What the first row of all links to. */
export const NO_HASH = "0".repeat(64)
