/** Deletes what nobody reads any more. Evidence (transitions, jobs, audit) is not touched here. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** Browsers resume from the last ten minutes of the feed; a replayed request is recognised for a day. */
export const pruneShortLived = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    delete from change_feed where seq in (
      select seq from change_feed where at < now() - interval '1 hour' order by seq limit 20000)`
  yield* sql`delete from ws_tickets where expires_at < now() - interval '1 hour'`
  yield* sql`delete from idempotency_keys where created_at < now() - interval '24 hours'`
  // One that nobody ended has run out by then in any case.
  yield* sql`delete from sessions where coalesce(ended_at, signed_in_at) < now() - interval '30 days'`
})
