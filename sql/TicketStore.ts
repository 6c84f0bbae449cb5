/** Tickets that open one live socket each, for the session or the API token that asked. Only their hash is kept. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { SessionId, TokenId, UserId } from "#core/Ids.ts"
import type { Permission } from "#core/Permission.ts"

export const TICKET_SECONDS = 60

export type TicketHolder =
  | { readonly session_id: SessionId; readonly token_id: null }
  | { readonly session_id: null; readonly token_id: TokenId }

export const insertTicket = Effect.fnUntraced(function* (
  ticketHash: Uint8Array,
  user: UserId,
  holder: TicketHolder,
  permissions: ReadonlySet<Permission>
) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    insert into ws_tickets (ticket_hash, user_id, session_id, token_id, permissions, expires_at)
    values (${ticketHash}, ${user}, nullif(${holder.session_id ?? ""}, '')::uuid, nullif(${holder.token_id ?? ""}, '')::uuid,
      ${[...permissions]}::text[], now() + make_interval(secs => ${TICKET_SECONDS}))`
})

/** Uses the ticket up; null for one that is unknown, used or too old. */
export const takeTicket = Effect.fnUntraced(function* (ticketHash: Uint8Array) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<TicketHolder & { readonly permissions: ReadonlyArray<Permission> }>`
    update ws_tickets set used_at = now()
    where ticket_hash = ${ticketHash} and used_at is null and expires_at > now()
    returning session_id, token_id, permissions`
  return rows[0] ?? null
})
