/** A POST with the same key is carried out once; its repetition gets the same answer. */
import { createHash } from "node:crypto"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Unprocessable } from "#core/Errors.ts"
import type { Caller } from "#core/User.ts"
import { type AuditEntry, appendAudit, originOf } from "./AuditStore.ts"

export interface OnceRequest {
  readonly caller: Caller
  readonly key: string
  /** Tells one operation from another under the same key. */
  readonly operation: string
  readonly request: unknown
  readonly status: number
}

/** One transaction: look for an earlier answer, else make the change, keep its answer, write the audit row. */
export const once = <A, E, R>(
  { caller, key, operation, request, status }: OnceRequest,
  change: Effect.Effect<{ readonly answer: A; readonly audit: AuditEntry }, E, R>
) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        const user = caller.principal.user_id
        const hash = createHash("sha256")
          .update(JSON.stringify([operation, request]))
          .digest()
        yield* sql`select pg_advisory_xact_lock(hashtextextended(${`${user}/${key}`}, 7202613))`
        const earlier = yield* sql<{ same: boolean; response: A }>`
          select request_hash = ${hash} as same, response from idempotency_keys
          where user_id = ${user} and key = ${key} and created_at > now() - interval '24 hours'`
        const found = earlier[0]
        if (found?.same === false) {
          return yield* new Unprocessable({
            code: "idempotency_key_reused",
            message: "This Idempotency-Key was used for another request within 24 hours. Send a new one."
          })
        }
        if (found) return { answer: found.response, replayed: true }
        const { answer, audit } = yield* change
        yield* sql`
          insert into idempotency_keys (user_id, key, request_hash, status, response)
          values (${user}, ${key}, ${hash}, ${status}, ${JSON.stringify(answer)}::text::jsonb)
          on conflict (user_id, key) do update set request_hash = excluded.request_hash, status = excluded.status,
            response = excluded.response, created_at = now()`
        yield* appendAudit(originOf(caller), audit)
        return { answer, replayed: false }
      })
    )
  )
