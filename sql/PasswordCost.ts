/** What one password hash costs on this installation, measured once and kept in system_config. */
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"

export const PasswordCost = Schema.Struct({
  memory_kib: Schema.Int,
  time_cost: Schema.Int,
  /** What it took when it was measured. */
  millis: Schema.Int
})
export type PasswordCost = typeof PasswordCost.Type

const KEY = "password_cost"
const decode = Schema.decodeUnknownOption(PasswordCost)

/** Null where it was never measured, or is less than the least that is allowed. */
export const readPasswordCost = Effect.fnUntraced(function* (least: Pick<PasswordCost, "memory_kib" | "time_cost">) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ value: unknown }>`select value from system_config where key = ${KEY}`
  const stored = decode(rows[0]?.value)
  if (stored._tag === "None") return null
  const { memory_kib, time_cost } = stored.value
  return memory_kib < least.memory_kib || time_cost < least.time_cost ? null : stored.value
})

export const writePasswordCost = Effect.fnUntraced(function* (cost: PasswordCost) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    insert into system_config (key, value) values (${KEY}, ${JSON.stringify(cost)}::text::jsonb)
    on conflict (key) do update set value = excluded.value, updated_at = now()`
})
