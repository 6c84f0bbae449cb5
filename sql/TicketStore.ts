/** Tickets that open one live socket each. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { UserId } from "#core/Ids.ts"
import type { Permission } from "#core/Permission.ts"

export const TICKET_SECONDS = 60

export const insertTicket = Effect.fnUntraced(function* (
  ticketHash: Uint8Array,
  user: UserId,
  permissions: ReadonlySet<Permission>
) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`delete from ws_tickets where expires_at < now() - interval '1 hour'`
  yield* sql`
    insert into ws_tickets (ticket_hash, user_id, permissions, expires_at)
    values (${ticketHash}, ${user}, ${[...permissions]}::text[], now() + make_interval(secs => ${TICKET_SECONDS}))`
})

/** Uses the ticket up; null for one that is unknown, used or too old. */
export const takeTicket = Effect.fnUntraced(function* (ticketHash: Uint8Array) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ user_id: UserId; permissions: ReadonlyArray<Permission> }>`
    update ws_tickets set used_at = now()
    where ticket_hash = ${ticketHash} and used_at is null and expires_at > now()
    returning user_id, permissions`
  return rows[0] ?? null
})
