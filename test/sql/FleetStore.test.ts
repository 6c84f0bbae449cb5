import { afterAll, beforeAll, expect, it } from "vitest"
import { readFleet } from "#sql/FleetStore.ts"
import { insertHost } from "#sql/HostStore.ts"
import { startTestStores, type TestStores } from "./testStores.ts"

let stores: TestStores
beforeAll(async () => {
  stores = await startTestStores()
})
afterAll(() => stores.stop())

/** One host as it was last read. */
const host = async (
  n: number,
  state: {
    seen: string
    read: string
    pending: number
    security: number
    since: string | null
    reboot: boolean | null
    summary: string
  }
) => {
  const { answer } = await stores.run(
    insertHost(stores.caller, {
      fqdn: null,
      address: `127.0.0.${n}`,
      agent_port: 1,
      display_name: String(n),
      bound_fingerprint: null
    })
  )
  await stores.rows(`update hosts set last_seen_at = now() - $2::interval, reboot_needed = $3 where id = $1`, [
    answer.id,
    state.seen,
    state.reboot
  ])
  await stores.rows("update host_snapshots set summary = $2 where host_id = $1", [answer.id, state.summary])
  await stores.rows(
    `insert into host_patch_data (host_id, patches, pending, security, oldest_security_at, content_hash, read_at)
     values ($1, '[]', $2, $3, now() - $4::interval, '', now() - $5::interval)`,
    [answer.id, state.pending, state.security, state.since, state.read]
  )
}

const fine = {
  seen: "1 minute",
  read: "1 minute",
  pending: 2,
  security: 0,
  since: null,
  reboot: false,
  summary: "healthy"
}

it("counts each host in one class, and never calls the unknown compliant", async () => {
  await host(1, fine)
  await host(2, { ...fine, reboot: null })
  await host(3, { ...fine, security: 1, since: "13 days" })
  await host(4, { ...fine, security: 1, since: "15 days" })
  await host(5, { ...fine, reboot: true })
  await host(6, { ...fine, seen: "25 hours", summary: "unreachable" })
  await host(7, { ...fine, read: "25 hours" })
  await stores.run(
    insertHost(stores.caller, {
      fqdn: null,
      address: "127.0.0.8",
      agent_port: 1,
      display_name: "8",
      bound_fingerprint: null
    })
  )
  const fleet = await stores.run(readFleet(stores.caller.principal, 14))
  expect(fleet).toMatchObject({
    hosts_total: 8,
    compliance: { compliant: 2, not_compliant: 2, unknown: 4 },
    pending_patches: 14,
    hosts_with_pending: 7,
    security_patches: 2,
    hosts_needing_reboot: 1,
    by_summary: { healthy: 6, unreachable: 1, unknown: 1, failed: 0 },
    worker: { fresh: false, beat_at: null }
  })
  expect(fleet.attention.map((entry) => entry.kind)).toEqual(["unreachable", "security", "reboot_needed"])
})

it("knows a fresh worker from a stale one", async () => {
  await stores.rows(
    "insert into worker_heartbeat (worker_id, epoch, pid, program_version, beat_at) values ('w', 1, 1, 'x', now() - interval '89 seconds')"
  )
  expect((await stores.run(readFleet(stores.caller.principal, 14))).worker.fresh).toBe(true)
  await stores.rows("update worker_heartbeat set beat_at = now() - interval '91 seconds'")
  expect((await stores.run(readFleet(stores.caller.principal, 14))).worker.fresh).toBe(false)
})
