/** Rows about certificates: whose they are, how long they last, and who answers at an address. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { expect } from "vitest"
import { Authority } from "#actors/pki/Authority.ts"
import { ensureAuthority, renewManager } from "#actors/pki/ensureAuthority.ts"
import { type LeafRequest, makeIssuer } from "#actors/pki/mint.ts"
import { hostUri } from "#core/Ids.ts"
import { updateHost } from "#sql/HostStore.ts"
import { insertHostCertificate } from "#sql/CertificateStore.ts"
import type { Identity, Misbehaviour } from "#test/fleet/Misbehaviour.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import { TestCa } from "#test/fleet/testCa.ts"
import type { World, WorldHost } from "#test/harness/World.ts"
import {
  alarms,
  allAnswer,
  allRead,
  applied,
  callsOf,
  ended,
  pollsAs,
  publish,
  refresh,
  startWorker
} from "../agentSteps.ts"
import type { RowBody } from "../row.ts"

const DAY = 24 * 3600_000

const issuer = async (world: World) => {
  const { ca } = await Effect.runPromise(ensureAuthority(world.secretsDir))
  return makeIssuer(ca)
}

const namesOf = (host: WorldHost): LeafRequest["names"] => [
  { type: "dns", value: host.view.fqdn },
  { type: "ip", value: host.address },
  { type: "url", value: hostUri(host.id) }
]

const hostLeaf = (host: WorldHost, extra: Pick<LeafRequest, "days"> & Partial<LeafRequest>): LeafRequest => ({
  commonName: host.id,
  names: namesOf(host),
  purpose: "server",
  ...extra
})

/** The calls that a host has had since; a call is counted when its first bytes after the handshake are read. */
const callsBy = (world: World, host: WorldHost): number => callsOf(world, host).length

export const f28: RowBody = async (row) => {
  const world = await row.world({ count: 6, profileMix: { "2.7": 1 } })
  const [wrongCa, selfSigned, expired, notYet, revoked, good] = world.hosts
  const issue = await issuer(world)
  const own = await TestCa.selfSigned(selfSigned!.view)
  await startWorker(row, world)
  await allAnswer(world)
  await allRead(world)
  publish(world, world.hosts)
  const of = (identity: Identity): Misbehaviour => ({ kind: "certificate", identity })
  const wrong: ReadonlyArray<readonly [WorldHost, Misbehaviour | null, kind: string, says: RegExp]> = [
    [wrongCa!, { kind: "wrong_ca" }, "wrong_authority", /not issued by this manager's CA/],
    [selfSigned!, of(own), "wrong_authority", /self-signed/],
    [
      expired!,
      of(await issue(hostLeaf(expired!, { days: 9, notBefore: new Date(Date.now() - 10 * DAY) }))),
      "certificate_expired",
      /has expired/
    ],
    [
      notYet!,
      of(await issue(hostLeaf(notYet!, { days: 9, notBefore: new Date(Date.now() + DAY) }))),
      "certificate_not_yet_valid",
      /not valid yet/
    ],
    [revoked!, null, "certificate_revoked", /revoked/]
  ]
  // A newer one was issued for this host, which still shows the old one.
  const fresh = await world.run(
    Effect.flatMap(Authority, ({ issueHost }) =>
      issueHost({ hostId: revoked!.id, fqdn: revoked!.view.fqdn, address: revoked!.address })
    ).pipe(Effect.provide(Authority.layer(world.secretsDir)))
  )
  await world.run(insertHostCertificate(world.caller, revoked!.id, fresh))
  for (const [host, misbehaviour] of wrong) if (misbehaviour) world.fleet.misbehave(host.address, misbehaviour)
  const before = new Map(world.hosts.map((host) => [host.id, callsBy(world, host)]))
  await row.assert("host `identity_error` with the reason", async () => {
    for (const [host, , kind, says] of wrong) {
      const { message } = await pollsAs(world, host, kind)
      expect(message).toMatch(says)
      expect(message).toContain(host.address)
    }
  })
  const results = await ended(world, await world.apply(world.hosts), 60_000)
  await row.assert("Refused before any byte of the request is written", () => {
    for (const [host] of wrong) expect(callsBy(world, host)).toBe(before.get(host.id))
    expect(callsBy(world, good!)).toBeGreaterThan(before.get(good!.id)!)
  })
  await row.assert("nothing sent. Ledger 0", () => {
    for (const [host] of wrong) {
      expect(applied(world, host)).toEqual([])
      expect(results.find((result) => result.host === host.id)).toMatchObject({
        state: "failed",
        verdict: "unavailable"
      })
    }
    expect(applied(world, good!)).toHaveLength(1)
  })
}

export const f29: RowBody = async (row) => {
  const world = await row.world({ count: 3, profileMix: { "2.7": 1 } })
  const [victim, other] = world.hosts
  const issue = await issuer(world)
  await startWorker(row, world)
  await allAnswer(world)
  await allRead(world)
  publish(world, world.hosts)
  // Name and address are those that are registered: only the host id in the SAN is another's.
  const identity = await issue({
    ...hostLeaf(victim!, { days: 9 }),
    names: [...namesOf(victim!).filter(({ type }) => type !== "url"), { type: "url", value: hostUri(other!.id) }]
  })
  const before = callsBy(world, victim!)
  world.fleet.misbehave(victim!.address, { kind: "certificate", identity })
  await row.assert("Refused: identity is the host id in the SAN URI, not the name or address", async () => {
    const { message } = await pollsAs(world, victim!, "wrong_identity")
    expect(message).toContain(other!.id)
    await ended(world, await world.apply([victim!]), 60_000)
    expect(callsBy(world, victim!)).toBe(before)
    expect(applied(world, victim!)).toEqual([])
  })
  await row.assert('alarm "identity swap"', async () => {
    const found = await until(
      () => alarms(world, victim!),
      (rows) => rows.length > 0
    )
    expect(found.filter((alarm) => alarm.kind === "identity_swap")).toHaveLength(1)
    expect(found.find((alarm) => alarm.kind === "identity_swap")?.cleared).toBe(false)
    world.fleet.misbehave(victim!.address)
    await pollsAs(world, victim!, null)
    await until(
      () => alarms(world, victim!),
      (rows) => rows.every((alarm) => alarm.cleared)
    )
  })
}

const moveTo = async (world: World, host: WorldHost, address: string): Promise<void> => {
  const [{ version } = { version: 0 }] = await world.query<{ version: number }>(
    "select version::int as version from hosts where id = $1",
    [host.id]
  )
  await world.run(updateHost(world.caller, host.id, version, { address }))
}

export const f30: RowBody = async (row) => {
  const world = await row.world({ count: 4, profileMix: { "2.7": 1 } })
  const [one, two, moved, quiet] = world.hosts
  await startWorker(row, world)
  await allAnswer(world)
  await allRead(world)
  publish(world, world.hosts)
  world.fleet.swapAddresses(one!.address, two!.address)
  // A lease ran out: the third host sits where the fourth was, and the fourth is off.
  world.fleet.swapAddresses(moved!.address, quiet!.address)
  world.fleet.misbehave(moved!.address, { kind: "refuse" })
  await row.assert("As F29", async () => {
    for (const host of [one!, two!, quiet!]) {
      await pollsAs(world, host, "wrong_identity")
      await until(
        () => alarms(world, host),
        (rows) => rows.some((alarm) => alarm.kind === "identity_swap")
      )
    }
  })
  const blocked = await ended(world, await world.apply([one!, two!]), 60_000)
  await row.assert("no job crosses over", () => {
    expect(blocked.map((result) => result.verdict)).toEqual(["unavailable", "unavailable"])
    for (const host of world.hosts) expect(applied(world, host)).toEqual([])
  })
  await row.assert("until an operator or signed re-registration changes the address", async () => {
    const spare = "127.250.9.9"
    await moveTo(world, one!, spare)
    await moveTo(world, two!, one!.address)
    await moveTo(world, one!, two!.address)
    await moveTo(world, quiet!, spare)
    await moveTo(world, moved!, quiet!.address)
    for (const host of [one!, two!, moved!]) await pollsAs(world, host, null, 20_000)
    const results = await ended(world, await world.apply([one!, moved!]), 60_000)
    expect(results.map((result) => result.verdict)).toEqual(["done", "done"])
    // The ledger knows the machines by their first addresses.
    expect(applied(world, one!)).toHaveLength(1)
    expect(applied(world, moved!)).toHaveLength(1)
    for (const host of [two!, quiet!]) expect(applied(world, host)).toEqual([])
  })
}

export const f31: RowBody = async (row) => {
  const world = await row.world({ count: 20, profileMix: { "2.7": 1 } })
  const { secretsDir } = world
  const read = (name: string) => readFileSync(join(secretsDir, name), "utf8")
  const first = { cert: read("manager.pem"), key: read("manager.key.pem") }
  const issue = await issuer(world)
  const install = async (hoursLeft: number): Promise<void> => {
    const pair = await issue({
      commonName: "Patch Manager",
      names: [],
      purpose: "client",
      days: (24 * 300 + hoursLeft) / 24,
      notBefore: new Date(Date.now() - 300 * DAY)
    })
    writeFileSync(join(secretsDir, "manager.key.pem"), pair.private_key_pem)
    writeFileSync(join(secretsDir, "manager.pem"), pair.certificate_pem)
  }
  await startWorker(row, world, { settings: { trustIntervalMillis: 500, retryMillis: [300, 300, 300] } })
  await allAnswer(world, 60_000)
  await row.assert("Warn at 30, 14, 7, 1 days", async () => {
    for (const [hours, words] of [
      [29 * 24, "within 30 days"],
      [13 * 24, "within 14 days"],
      [6 * 24, "within 7 days"],
      [20, "within 1 day"]
    ] as const) {
      await install(hours)
      await until(
        () => alarms(world, null),
        (rows) => rows.filter((alarm) => !alarm.cleared).some((alarm) => alarm.message.includes(words)),
        10_000
      )
    }
    const all = await alarms(world, null)
    expect(all.map((alarm) => alarm.kind)).toEqual(Array.from({ length: 4 }, () => "manager_certificate_expiring"))
    expect(all.filter((alarm) => !alarm.cleared)).toHaveLength(1)
  })
  for (const host of world.hosts.slice(0, 5)) await pollsAs(world, host, null)
  await install(-1)
  await until(
    () => alarms(world, null),
    (rows) => rows.some((alarm) => !alarm.cleared && alarm.message.includes("ended on")),
    10_000
  )
  const before = world.fleet.stats().handshakes
  await row.assert("with an expired client certificate everything stops at `identity_error: ours`", async () => {
    for (const host of world.hosts) await refresh(world, host)
    await until(
      () => world.query<{ kind: string | null }>("select failure_kind as kind from host_health_data"),
      (rows) => rows.every(({ kind }) => kind === "manager_certificate_expired"),
      20_000
    )
    publish(world, world.hosts)
    const results = await ended(world, await world.apply(world.hosts.slice(0, 3)), 60_000)
    for (const result of results) expect(result).toMatchObject({ state: "failed", verdict: "unavailable" })
    expect(world.fleet.stats().handshakes).toBe(before)
  })
  await row.assert("with one alarm, not 2,500", async () => {
    const open = await world.query<{ kind: string; n: number }>(
      "select kind, count(*)::int as n from alarms where cleared_at is null group by kind"
    )
    expect(open).toEqual([{ kind: "manager_certificate_expiring", n: 1 }])
    const links = await world.query<{ link: string }>("select distinct link from host_snapshots")
    expect(links).toEqual([{ link: "healthy" }])
  })
  await row.assert("renewal at 2/3 of life", async () => {
    // A year's certificate with 120 days left is past two thirds; one with 125 days left is not.
    for (const [daysLeft, renewed] of [
      [125, false],
      [120, true]
    ] as const) {
      const pair = await issue({
        commonName: "Patch Manager",
        names: [],
        purpose: "client",
        days: 365,
        notBefore: new Date(Date.now() - (365 - daysLeft) * DAY)
      })
      writeFileSync(join(secretsDir, "manager.key.pem"), pair.private_key_pem)
      writeFileSync(join(secretsDir, "manager.pem"), pair.certificate_pem)
      // What the web process does every hour.
      await Effect.runPromise(renewManager(secretsDir))
      expect(read("manager.pem") !== pair.certificate_pem).toBe(renewed)
    }
    for (const host of world.hosts.slice(0, 5)) await pollsAs(world, host, null, 20_000)
    await until(
      () => alarms(world, null),
      (rows) => rows.every((alarm) => alarm.cleared),
      10_000
    )
  })
  expect(first.cert).not.toBe(read("manager.pem"))
}
