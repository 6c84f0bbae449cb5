/** Open sessions as a list, and the end of one that was picked from it. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { NotFound } from "#core/Errors.ts"
import type { SessionId, UserId } from "#core/Ids.ts"
import type { Page } from "#core/Page.ts"
import type { SessionItem } from "#core/Session.ts"
import type { Caller, Principal } from "#core/User.ts"
import { appendAudit, originOf } from "./AuditStore.ts"
import { readCursor, writeCursor } from "./cursor.ts"
import { endOne, sessionEntry } from "./SessionStore.ts"

export interface SessionListRequest {
  /** Everybody's when left out. */
  readonly user_id?: UserId | undefined
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

const open = "s.ended_at is null and session_expires_at(s) > now()"

/** Newest first. */
export const listSessions = Effect.fnUntraced(function* (principal: Principal, request: SessionListRequest) {
  const sql = yield* SqlClient.SqlClient
  const limit = request.limit ?? 100
  const after = yield* readCursor("sessions", request.cursor, "text")
  const listed = sql`${sql.literal(open)} and ${request.user_id === undefined ? sql`true` : sql`s.user_id = ${request.user_id}`}`
  const rows = yield* sql<{ item: Omit<SessionItem, "current"> }>`
    select row_to_json(r) as item from (
      select s.id, json_build_object('id', u.id, 'username', u.username) as user, s.stage, s.factor, s.signed_in_at,
        s.last_active_at, session_expires_at(s) as expires_at, host(s.source_address) as source_address, s.user_agent
      from sessions s join users u on u.id = s.user_id
      where ${listed} and ${after ? sql`s.id < ${after.id}::text::uuid` : sql`true`}
      order by s.id desc limit ${limit + 1}
    ) r`
  const counted = yield* sql<{ total: number }>`select count(*)::int as total from sessions s where ${listed}`
  const items = rows.slice(0, limit).map(({ item }) => ({ ...item, current: item.id === principal.session_id }))
  const last = items.at(-1)
  const page: Page<SessionItem> = {
    items,
    total: counted[0]?.total ?? 0,
    next_cursor: rows.length > limit && last ? writeCursor("sessions", { key: "", id: last.id }) : null
  }
  return page
})

/** NotFound for one that is not open, and for somebody else's where `owner` is given. */
export const endSession = (caller: Caller, session: SessionId, owner: UserId | null) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        const rows = yield* sql<{ user_id: UserId }>`
          select s.user_id from sessions s
          where s.id = ${session} and ${sql.literal(open)} and ${owner === null ? sql`true` : sql`s.user_id = ${owner}`}
          for update of s`
        const found = rows[0]
        if (found === undefined) {
          return yield* new NotFound({
            code: "session_not_found",
            message: "There is no such session, or it has ended."
          })
        }
        yield* endOne(session, found.user_id === caller.principal.user_id ? "ended_by_owner" : "ended_by_administrator")
        yield* appendAudit(originOf(caller), sessionEntry("session.end", session, { user_id: found.user_id }, null))
      })
    )
  )
