/** Every column whose values are sealed, for the change of the key they are sealed with. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** `row` is the column with the row's id, as it stands in the value's place. */
export const sealedColumns = [
  { table: "totp_secrets", column: "secret_sealed", row: "id" },
  { table: "azure_sso_config", column: "client_secret", row: "id" }
] as const

export type SealedColumn = (typeof sealedColumns)[number]

export const readSealed = Effect.fnUntraced(function* ({ table, column, row }: SealedColumn) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<{ row: string; sealed: Uint8Array }>`
    select ${sql(row)}::text as row, ${sql(column)} as sealed from ${sql(table)} where ${sql(column)} is not null`
})

/** Where nobody has changed it meanwhile. */
export const replaceSealed = Effect.fnUntraced(function* (
  { table, column, row }: SealedColumn,
  id: string,
  before: Uint8Array,
  after: Uint8Array
) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    update ${sql(table)} set ${sql(column)} = ${after} where ${sql(row)}::text = ${id} and ${sql(column)} = ${before}`
})
