/** Rows that rest on one guard alone. */
import { expect } from "vitest"
import { insertHost, requestRemoval } from "#sql/HostStore.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import type { WorldHost } from "#test/harness/World.ts"
import { allAnswer, pollsAs, refresh } from "../agentSteps.ts"
import type { RowBody } from "../row.ts"
import { APPLY, callsOf, changesOf } from "./workerSteps.ts"

/** A host is registered anew, under another id, while a TLS session with the machine can still be resumed. */
export const registeredAnew: RowBody = async (row) => {
  const world = await row.world({ count: 1, profileMix: { "2.7": 1 } })
  const [host] = world.hosts as [WorldHost]
  await row.worker(world)
  await allAnswer(world)
  world.fleet.publish(host.address)
  await refresh(world, host)
  await row.assert("a poll costs half a handshake: there is a session to resume", () =>
    until(
      () => world.fleet.stats().resumed,
      (count) => count > 0
    )
  )
  await world.run(requestRemoval(world.caller, host.id, false))
  await until(
    () => world.query("select 1 from hosts where removed_at is not null"),
    (rows) => rows.length === 1,
    10_000
  )
  const { fqdn } = host.view
  const { answer } = await world.run(
    insertHost(world.caller, {
      fqdn,
      address: host.address,
      agent_port: world.fleet.port,
      display_name: fqdn,
      bound_fingerprint: null
    })
  )
  const again: WorldHost = { ...host, id: answer.id }
  await row.assert(
    "a session is resumed only for the registration it was made for: the old identity is refused",
    async () => {
      const { message } = await pollsAs(world, again, "wrong_identity")
      expect(message).toContain(host.id)
    }
  )
  await row.assert("no job crosses over", async () => {
    const job = await world.apply([again])
    await until(
      () => world.query<{ ended: boolean }>("select ended from patch_job_hosts where job_id = $1", [job]),
      (rows) => rows.every(({ ended }) => ended),
      60_000
    )
    expect(changesOf(world, host)).toEqual([])
  })
}

/** A job for the next window, on hosts that have none now. */
export const outsideWindows: RowBody = async (row) => {
  const world = await row.world({ count: 3, profileMix: { "2.7": 1 } })
  await row.worker(world)
  await allAnswer(world)
  for (const host of world.hosts) world.fleet.publish(host.address)
  const job = await world.apply(world.hosts, { when: { kind: "next_window" } })
  await until(
    () => world.query<{ state: string }>("select state from patch_jobs where id = $1", [job]),
    (rows) => rows[0]?.state !== "queued",
    10_000
  )
  await row.assert("no start outside a window", async () => {
    // Several rounds of the dispatcher.
    for (let look = 0; look < 60; look++) {
      const states = await world.query<{ state: string }>("select state from patch_job_hosts where job_id = $1", [job])
      expect(states.map(({ state }) => state)).toEqual(world.hosts.map(() => "waiting"))
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    for (const host of world.hosts) expect(callsOf(world, host, APPLY)).toBe(0)
  })
}
