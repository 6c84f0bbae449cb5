/** What the worker writes about a scan. Every statement names the worker's epoch: a worker that was replaced changes nothing. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { ScanState, Verdict } from "#core/Discovery.ts"
import type { DiscoveryId, HostId } from "#core/Ids.ts"

export interface ClaimedScan {
  readonly id: DiscoveryId
  readonly cidr: string
  readonly port: number
}

export interface FoundAt {
  readonly address: string
  readonly verdict: Verdict
  readonly fqdn: string | null
  readonly host_id: HostId | null
}

/** Takes the scan that waits, or null. */
export const claimScan = Effect.fnUntraced(function* (epoch: number) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<ClaimedScan>`
    update discovery_scans set state = 'running', started_at = now(), progress_at = now(), worker_epoch = ${epoch}::int
    where state = 'queued' and (select l.epoch from worker_lease l where l.name = 'worker') = ${epoch}::int
    returning id, cidr, port`
  return rows[0] ?? null
})

/** Scans of workers before this one: nobody carries them on. */
export const interruptOrphans = Effect.fnUntraced(function* (epoch: number) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    update discovery_scans set state = 'interrupted', finished_at = now(),
      message = 'The worker ended while the scan ran. Start it again.'
    where state = 'running' and worker_epoch < ${epoch}::int`
})

/** Keeps what was found since the last time; says whether to go on. */
export const writeProgress = (id: DiscoveryId, epoch: number, found: ReadonlyArray<FoundAt>) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        const rows = yield* sql<{ cancelled: boolean }>`
          update discovery_scans
          set progress_at = now(), addresses_probed = least(addresses_total, addresses_probed + ${found.length}::int)
          where id = ${id} and state = 'running' and worker_epoch = ${epoch}::int
          returning cancel_requested_at is not null as cancelled`
        const row = rows[0]
        if (row === undefined) return "gone" as const
        if (found.length > 0) {
          yield* sql`
            insert into discovery_results (scan_id, address, verdict, fqdn, host_id)
            select ${id}::text::uuid, x.address, x.verdict, nullif(x.fqdn, ''), nullif(x.host_id, '')::uuid
            from unnest(${found.map((one) => one.address)}::inet[], ${found.map((one) => one.verdict)}::text[],
              ${found.map((one) => one.fqdn ?? "")}::text[], ${found.map((one) => one.host_id ?? "")}::text[])
              as x(address, verdict, fqdn, host_id)
            on conflict do nothing`
        }
        return row.cancelled ? ("cancelled" as const) : ("on" as const)
      })
    )
  )

export const finishScan = Effect.fnUntraced(function* (
  id: DiscoveryId,
  epoch: number,
  end: { readonly state: Extract<ScanState, "done" | "cancelled" | "failed">; readonly message: string | null }
) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    update discovery_scans set state = ${end.state}, message = ${end.message}, finished_at = now(), progress_at = now()
    where id = ${id} and state = 'running' and worker_epoch = ${epoch}::int`
})
