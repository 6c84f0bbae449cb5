import { Effect } from "effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { AgentFailureKind } from "#core/AgentFailure.ts"
import { Authority } from "#actors/pki/Authority.ts"
import type { Misbehaviour } from "#test/fleet/Misbehaviour.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import { startWeb, type Web } from "#test/harness/startWeb.ts"
import { makeWorld, type World } from "#test/harness/World.ts"

interface HostPage {
  readonly link: string
  readonly health: { readonly failure_kind: string | null; readonly failure_message: string | null }
}

describe("what an agent does wrong, as its host's page tells it", () => {
  let world: World
  let web: Web
  beforeAll(async () => {
    world = await makeWorld({ count: 18, seed: 5 })
    web = await startWeb(world)
    await world.startWorker({ settings: { retryMillis: [200, 60_000, 60_000] } })
    await until(
      () => world.query<{ link: string }>("select link from host_snapshots"),
      (rows) => rows.every((row) => row.link === "healthy"),
      15_000
    )
  }, 60_000)
  afterAll(async () => {
    await web.stop()
    await world.stop()
  })

  const mint = (hostIndex: number, override: { address?: string; fqdn?: string }) =>
    Effect.runPromise(
      Effect.flatMap(Authority, (authority) =>
        authority.issueHost({
          hostId: world.hosts[hostIndex]!.id,
          fqdn: override.fqdn ?? world.hosts[hostIndex]!.view.fqdn,
          address: override.address ?? world.hosts[hostIndex]!.address
        })
      ).pipe(Effect.provide(Authority.layer(world.secretsDir)))
    )

  const cases: ReadonlyArray<{
    readonly kind: AgentFailureKind
    readonly says: RegExp
    readonly wrong: (index: number) => Misbehaviour | Promise<Misbehaviour>
  }> = [
    { kind: "connect_timeout", says: /within 1 s/, wrong: () => ({ kind: "hang_connect" }) },
    { kind: "timed_out", says: /did not answer within/, wrong: () => ({ kind: "hang" }) },
    { kind: "timed_out", says: /did not answer within/, wrong: () => ({ kind: "drip", interval_ms: 200 }) },
    { kind: "not_tls", says: /TLS/, wrong: () => ({ kind: "not_tls" }) },
    { kind: "unreadable_answer", says: /answer/, wrong: () => ({ kind: "garbage_json" }) },
    { kind: "too_large", says: /limit|larger/, wrong: () => ({ kind: "huge", bytes: 2_000_000 }) },
    { kind: "wrong_authority", says: /certificate/, wrong: () => ({ kind: "wrong_ca" }) },
    {
      kind: "wrong_identity",
      says: /presents the certificate of host/,
      wrong: async (index) => ({
        kind: "certificate",
        identity: await mint(0, { address: world.hosts[index]!.address, fqdn: world.hosts[index]!.view.fqdn })
      })
    },
    {
      kind: "wrong_name",
      says: /certificate/,
      wrong: async (index) => ({
        kind: "certificate",
        identity: await mint(index, { fqdn: "other.example.test", address: "127.9.9.9" })
      })
    },
    { kind: "protocol_error", says: /TLS/, wrong: () => ({ kind: "tls12" }) },
    { kind: "client_certificate_refused", says: /CA certificate/, wrong: () => ({ kind: "refuse_client" }) },
    { kind: "rate_limited", says: /./, wrong: () => ({ kind: "rate_limited", retry_after_seconds: 30 }) },
    { kind: "agent_error", says: /./, wrong: () => ({ kind: "server_error" }) },
    { kind: "connection_lost", says: /./, wrong: () => ({ kind: "close" }) }
  ]

  it.each(cases.map((one, index) => ({ ...one, index: index + 1 })))(
    "$kind ($index)",
    async ({ kind, says, wrong, index }) => {
      const host = world.hosts[index]!
      // A new registration of trust, so that no earlier session is resumed past the certificate.
      await web
        .call("POST", `/api/v1/hosts/${host.id}/certificate`)
        .then((identity) =>
          world.fleet.setIdentity(host.address, identity as { private_key_pem: string; certificate_pem: string })
        )
      world.fleet.misbehave(host.address, await wrong(index))
      await web.call("POST", `/api/v1/hosts/${host.id}/refresh`)
      const page = await until(
        () => web.call<HostPage>("GET", `/api/v1/hosts/${host.id}`),
        (seen) => seen.health.failure_kind !== null,
        15_000
      )
      expect(page.health.failure_kind).toBe(kind)
      expect(page.health.failure_message).toMatch(says)
      expect(page.health.failure_message).toContain(host.address)
    }
  )

  it("refused, where nothing listens", async () => {
    const host = world.hosts[16]!
    const { version } = await web.call<{ version: number }>("GET", `/api/v1/hosts/${host.id}`)
    await web.call("PATCH", `/api/v1/hosts/${host.id}`, { agent_port: 1 }, { "if-match": `"${version}"` })
    const page = await until(
      () => web.call<HostPage>("GET", `/api/v1/hosts/${host.id}`),
      (seen) => seen.health.failure_kind !== null,
      15_000
    )
    expect(page.health.failure_kind).toBe("refused")
  })

  it("is unreachable at the third failure and back at once on refresh", async () => {
    const host = world.hosts[17]!
    world.fleet.misbehave(host.address, { kind: "refuse" })
    for (let i = 0; i < 3; i++) {
      const before = await world.query<{ version: string }>("select version from host_snapshots where host_id = $1", [
        host.id
      ])
      await web.call("POST", `/api/v1/hosts/${host.id}/refresh`)
      await until(
        () => world.query<{ version: string }>("select version from host_snapshots where host_id = $1", [host.id]),
        (rows) => rows[0]!.version !== before[0]!.version,
        10_000
      )
    }
    expect((await web.call<HostPage>("GET", `/api/v1/hosts/${host.id}`)).link).toBe("unreachable")
    world.fleet.misbehave(host.address)
    await web.call("POST", `/api/v1/hosts/${host.id}/refresh`)
    await until(
      () => web.call<HostPage>("GET", `/api/v1/hosts/${host.id}`),
      (seen) => seen.link === "healthy" && seen.health.failure_kind === null,
      10_000
    )
  })
})
