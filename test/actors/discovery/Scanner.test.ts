import { Effect, Exit, Layer, Scope } from "effect"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { Scanner } from "#actors/discovery/Scanner.ts"
import { DiscoveryId, HostId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import { claimScan, finishScan, writeProgress } from "#sql/DiscoveryRun.ts"
import { getScan, insertScan, listResults, registerFound, requestScanCancel } from "#sql/DiscoveryStore.ts"
import { insertHost } from "#sql/HostStore.ts"
import { takeLease } from "#sql/WorkerStore.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import { startTestStores, type TestStores } from "#test/sql/testStores.ts"
import { layer as databaseLayer } from "#sql/Database.ts"
import { makeNeighbours, type Neighbours } from "./neighbours.ts"

let stores: TestStores
let around: Neighbours
beforeAll(async () => {
  stores = await startTestStores()
  around = await makeNeighbours()
  await around.agent("127.45.0.1", newId(HostId))
  await around.foreignAgent("127.45.0.2", null)
  await around.silent("127.45.0.3")
})
afterAll(async () => {
  await around.stop()
  await stores.stop()
})

const scan = (cidr: string, addresses_total: number) =>
  stores.run(insertScan(stores.caller, { cidr, port: around.port, addresses_total })).then(({ answer }) => answer.id)
const read = (id: DiscoveryId) => stores.run(getScan(stores.caller.principal, id))
const ended = (id: DiscoveryId) =>
  until(
    () => read(id),
    ({ state }) => state !== "queued" && state !== "running",
    15_000
  )

/** A worker's scanner, as layers.ts builds it; `kill` ends it in the middle of whatever it does. */
const startScanner = async (epoch?: number) => {
  const scope = Scope.makeUnsafe()
  const held = epoch ?? (await stores.run(takeLease("test"))).epoch
  const layer = Scanner.layer(held, around.folder).pipe(
    Layer.provide(databaseLayer({ url: stores.url, applicationName: "scanner", maxConnections: 2 }))
  )
  const services = await Effect.runPromise(Layer.buildWithScope(layer, scope))
  const scanner = await Effect.runPromise(Effect.provideContext(Scanner, services))
  return {
    epoch: held,
    wake: () => Effect.runPromise(scanner.wake),
    kill: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

const running: Array<() => Promise<void>> = []
const started = async (epoch?: number) => {
  const scanner = await startScanner(epoch)
  running.push(scanner.kill)
  return scanner
}
afterEach(async () => {
  for (const kill of running.splice(0)) await kill()
  await stores.rows("update discovery_scans set state = 'failed' where state in ('queued', 'running')")
})

describe("the scanner", () => {
  it("carries out a scan, writes every address once, and leaves nothing open", async () => {
    const scanner = await started()
    const id = await scan("127.45.0.0/28", 16)
    await scanner.wake()
    const done = await ended(id)
    expect(done).toMatchObject({
      state: "done",
      addresses_total: 16,
      addresses_probed: 16,
      found: 1,
      counts: { agent: 1, agent_other_certificate: 1, other_service: 0, closed: 13, no_answer: 1 }
    })
    const results = await stores.run(listResults(stores.caller.principal, id, {}))
    expect(results.items.map(({ address, verdict }) => [address, verdict]).slice(0, 4)).toEqual([
      ["127.45.0.0", "closed"],
      ["127.45.0.1", "agent"],
      ["127.45.0.2", "agent_other_certificate"],
      ["127.45.0.3", "no_answer"]
    ])
    expect(Object.keys(results.items[1] ?? {}).toSorted()).toEqual(["address", "fqdn", "registered", "verdict"])
  })

  it("does without the hint", async () => {
    const id = await scan("127.45.0.1/32", 1)
    await started()
    expect(await ended(id)).toMatchObject({ state: "done", found: 1 })
  })

  it("stops within half a second of the wish, and keeps what was found until then", async () => {
    const scanner = await started()
    const id = await scan("127.45.0.0/28", 16)
    await scanner.wake()
    await until(
      () => read(id),
      ({ addresses_probed }) => addresses_probed >= 13
    )
    const began = performance.now()
    await stores.run(requestScanCancel(stores.caller, id))
    const end = await ended(id)
    expect(performance.now() - began).toBeLessThan(500)
    expect(end).toMatchObject({ state: "cancelled", addresses_probed: 15, found: 1 })
    expect(await stores.run(Effect.flip(requestScanCancel(stores.caller, id)))).toMatchObject({ code: "scan_finished" })
  })

  it("leaves a scan interrupted when it dies, for the next worker and for those who look meanwhile", async () => {
    const first = await started()
    const id = await scan("127.45.0.0/28", 16)
    await first.wake()
    await until(
      () => read(id),
      ({ addresses_probed }) => addresses_probed >= 13
    )
    await first.kill()
    expect(await read(id)).toMatchObject({ state: "running" })
    await stores.rows("update discovery_scans set progress_at = now() - interval '21 seconds' where id = $1", [id])
    expect(await read(id)).toMatchObject({ state: "interrupted", finished_at: expect.any(String) })
    await stores.rows("update discovery_scans set progress_at = now() where id = $1", [id])
    await started()
    expect(await ended(id)).toMatchObject({ state: "interrupted", message: expect.stringContaining("Start it again") })
    const next = await scan("127.45.0.1/32", 1)
    expect(await ended(next)).toMatchObject({ state: "done" })
  })

  it("writes nothing more once another worker has taken over", async () => {
    const { epoch: old } = await stores.run(takeLease("old"))
    const id = await scan("127.45.0.0/28", 16)
    expect(await stores.run(claimScan(old))).toMatchObject({ id })
    const finding = { address: "127.45.0.1", verdict: "agent", fqdn: null, host_id: null } as const
    expect(await stores.run(writeProgress(id, old, [finding]))).toBe("on")
    await started()
    await ended(id)
    expect(await stores.run(writeProgress(id, old, [{ ...finding, address: "127.45.0.2" }]))).toBe("gone")
    await stores.run(finishScan(id, old, { state: "done", message: null }))
    expect(await read(id)).toMatchObject({ state: "interrupted", addresses_probed: 1 })
    await scan("127.45.0.0/28", 16)
    expect(await stores.run(claimScan(old))).toBeNull()
  })

  it("fails a scan whose thread cannot go on", async () => {
    const id = await scan("127.45.0.1/32", 1)
    await stores.rows("update discovery_scans set cidr = 'nonsense' where id = $1", [id])
    await started()
    expect(await ended(id)).toMatchObject({ state: "failed", message: "nonsense is no network." })
  })
})

describe("registering what a scan found", () => {
  it("goes through the ordinary path for each address, and one in the way does not stop the others", async () => {
    const scanner = await started()
    const id = await scan("127.45.0.0/28", 16)
    await scanner.wake()
    await ended(id)
    await stores.run(
      insertHost(stores.caller, {
        fqdn: "taken.example.test",
        address: "127.45.0.2",
        agent_port: around.port,
        display_name: "taken",
        bound_fingerprint: null
      })
    )
    const { answer, audit } = await stores.run(
      registerFound(stores.caller, id, ["127.45.0.2", "127.45.0.1", "127.45.0.9", "10.0.0.1"])
    )
    expect(answer.items.map(({ address, outcome }) => [address, outcome])).toEqual([
      ["127.45.0.2", "already_registered"],
      ["127.45.0.1", "registered"],
      ["127.45.0.9", "refused"],
      ["10.0.0.1", "refused"]
    ])
    expect(audit.after).toEqual({ addresses: 4, registered: 1 })
    const hosts = await stores.rows<{ fqdn: string; agent_port: number; display_name: string }>(
      "select fqdn, agent_port, display_name from hosts h join host_snapshots s on s.host_id = h.id where address = '127.45.0.1'"
    )
    expect(hosts).toEqual([
      { fqdn: "web-01.example.test", agent_port: around.port, display_name: "web-01.example.test" }
    ])
    const results = await stores.run(listResults(stores.caller.principal, id, { verdict: ["agent"] }))
    expect(results.items[0]?.registered).toMatchObject({ display_name: "web-01.example.test", by: "address" })
    const again = await stores.run(registerFound(stores.caller, id, ["127.45.0.1"]))
    expect(again.answer.items[0]).toMatchObject({ outcome: "already_registered" })
    const audited = await stores.rows<{ n: number }>(
      "select count(*)::int as n from audit_log where action = 'host.register' and after->>'address' = '127.45.0.1'"
    )
    expect(audited[0]?.n).toBe(1)
  })
})
