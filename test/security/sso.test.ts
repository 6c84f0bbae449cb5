import { createHmac } from "node:crypto"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { networkInterfaces } from "node:os"
import { afterAll, beforeAll, expect } from "vitest"
import { startOidcProvider, type OidcProvider } from "#test/harness/oidcProvider.ts"
import { passProvider, startSsoWorld, type SsoWorld } from "#test/http/ssoWorld.ts"
import { type Forge, type HostileProvider, startHostileProvider } from "./hostileProvider.ts"
import { securityRow } from "./securityRow.ts"
import { startFilteredPort } from "./filteredPort.ts"

interface Provider {
  readonly id: string
  readonly redirect_uri: string
}

let world: SsoWorld
let real: OidcProvider
let other: OidcProvider
let hostile: HostileProvider
let second: HostileProvider
let provider: Provider
let otherProvider: Provider
let forged: Provider

const readers = [{ provider_group: "readers", role: "auditor", group_ids: [] }]

beforeAll(async () => {
  world = await startSsoWorld()
  const people = {
    anna: { preferred_username: "anna", groups: ["admins"], amr: ["mfa"] },
    rita: { preferred_username: "rita", groups: ["readers"], amr: ["mfa"] }
  }
  const uris = { redirectUris: ["https://localhost:8443/unused"], people }
  real = await startOidcProvider(uris)
  other = await startOidcProvider({ ...uris, address: "127.0.0.2" })
  hostile = await startHostileProvider()
  second = await startHostileProvider()
  provider = await world.addReal(real)
  otherProvider = await world.addReal(other)
  forged = await world.addProvider({ issuer: hostile.issuer, ca_certificate: hostile.ca, mappings: readers })
})
afterAll(async () => {
  await world.web.stop()
  await Promise.all([real.stop(), other.stop(), hostile.stop(), second.stop()])
})

/** Accounts, identities and sessions there are. */
const counted = async () =>
  (
    await world.web.rows(
      "select (select count(*) from users) as users, (select count(*) from external_identities) as identities, (select count(*) from sessions) as sessions"
    )
  )[0]

const mustCreateNothing = async (attempt: () => Promise<unknown>): Promise<void> => {
  const before = await counted()
  await attempt()
  expect(await counted()).toEqual(before)
}

/** Comes back to the manager with a code that buys what `forge` makes. */
const comeWith = async (
  at: Provider,
  from: HostileProvider,
  forge: (honest: Forge) => Promise<string> | string,
  more: Record<string, string> = {}
) => {
  const began = await world.start(at.id)
  const asked = new URL(began.location).searchParams
  const code = await from.issue(asked.get("nonce") ?? "", forge)
  const back = new URL(at.redirect_uri)
  back.search = new URLSearchParams({ code, state: asked.get("state") ?? "", ...more }).toString()
  return world.comeBack(back, began.cookie)
}

const mustRefuse = (answer: { readonly headers: Readonly<Record<string, unknown>>; readonly status: number }, code: string) => {
  expect([answer.status, answer.headers["location"]]).toEqual([303, `/sign-in?sso_error=${code}`])
  expect(String(answer.headers["set-cookie"])).not.toContain("__Host-refresh")
}

const mustBeRefusedToken = (forge: (honest: Forge) => Promise<string> | string, at = () => forged) => () =>
  mustCreateNothing(async () => mustRefuse(await comeWith(at(), hostile, forge), "token_refused"))

const honest = ({ claims, sign }: Forge) => sign(claims)

/** Signed in, by whatever the token says. */
const mustEnter = async (answer: Awaited<ReturnType<typeof comeWith>>) => {
  expect([answer.status, answer.headers["location"]]).toEqual([303, "/"])
  const cookie = [answer.headers["set-cookie"] ?? []].flat().find((line) => line.startsWith("__Host-refresh="))
  const signed = await world.refresh(String(cookie).split(";")[0] ?? "")
  return { username: signed.at("user.username"), role: signed.at("user.role"), token: signed.at("access_token") }
}

securityRow("S24", "the state of a sign-in through a provider", async (row) => {
  const begin = async () => {
    const began = await world.start(provider.id)
    return { began, back: await passProvider(real, began.location, "rita") }
  }
  const mustBe400 = async (back: URL, cookie: string | null) =>
    mustCreateNothing(async () => {
      const answer = await world.comeBack(back, cookie)
      expect([answer.status, answer.at("error.code")]).toEqual([400, "sign_in_expired"])
    })
  await row.assert("callback without `state` → 400, nothing created", async () => {
    const { back, began } = await begin()
    back.searchParams.delete("state")
    await mustBe400(back, began.cookie)
  })
  await row.assert("with another session's `state`", async () => {
    const mine = await begin()
    const theirs = await world.start(provider.id)
    await mustBe400(mine.back, theirs.cookie)
    await mustBe400(mine.back, null)
  })
  await row.assert("reused", async () => {
    const { back, began } = await begin()
    expect((await world.comeBack(back, began.cookie)).status).toBe(303)
    await mustBe400(back, began.cookie)
  })
  await row.assert("expired (10 min)", async () => {
    const { back, began } = await begin()
    const rows = await world.web.rows<{ seconds: number }>(
      "select extract(epoch from max(expires_at) - now())::int as seconds from sso_sign_ins"
    )
    expect(rows[0]!.seconds).toBeGreaterThan(590)
    expect(rows[0]!.seconds).toBeLessThanOrEqual(600)
    await world.web.rows("update sso_sign_ins set expires_at = now() - interval '1 second'")
    await mustBe400(back, began.cookie)
  })
})

securityRow("S25", "nonce and PKCE", async (row) => {
  await row.assert("an honest token is taken", async () => {
    expect(await mustEnter(await comeWith(forged, hostile, honest))).toMatchObject({ role: "auditor" })
  })
  await row.assert(
    "`nonce` missing",
    mustBeRefusedToken(({ claims: { nonce: _, ...claims }, sign }) => sign(claims))
  )
  await row.assert(
    "wrong",
    mustBeRefusedToken(({ claims, sign }) => sign({ ...claims, nonce: "x".repeat(43) }))
  )
  await row.assert("reused", async () => {
    const earlier = new URL((await world.start(forged.id)).location).searchParams.get("nonce") ?? ""
    await mustBeRefusedToken(({ claims, sign }) => sign({ ...claims, nonce: earlier }))()
  })
  await row.assert("PKCE verifier wrong → refused", async () => {
    const mine = await world.start(provider.id)
    const stolen = (await passProvider(real, (await world.start(provider.id)).location, "anna")).searchParams.get("code")
    const back = new URL(provider.redirect_uri)
    back.search = new URLSearchParams({
      code: stolen ?? "",
      state: new URL(mine.location).searchParams.get("state") ?? "",
      iss: real.issuer
    }).toString()
    await mustCreateNothing(async () => mustRefuse(await world.comeBack(back, mine.cookie), "token_refused"))
  })
})

securityRow("S26", "id tokens that are not to be believed", async (row) => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
  const bare = (claims: object, header: object) => `${part(header)}.${part(claims)}`
  const tenant = "8f2c1a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b"
  const ofTenant = await world.addProvider({
    issuer: hostile.issuer,
    ca_certificate: hostile.ca,
    mappings: readers,
    tenant_id: tenant
  })
  await row.assert("an honest token is taken", async () => void (await mustEnter(await comeWith(forged, hostile, honest))))
  await row.assert(
    "`alg` none",
    mustBeRefusedToken(({ claims }) => `${bare(claims, { alg: "none", kid: "known" })}.`)
  )
  await row.assert(
    "HS256 with the public key",
    mustBeRefusedToken(({ claims, publicKey }) => {
      const signed = bare(claims, { alg: "HS256", kid: "known" })
      return `${signed}.${createHmac("sha256", publicKey).update(signed).digest("base64url")}`
    })
  )
  await row.assert(
    "unknown `kid`",
    mustBeRefusedToken(({ claims, sign }) => sign(claims, { kid: "unknown" }))
  )
  await row.assert("an unknown `kid` makes the keys be fetched at most once a minute", async () => {
    const before = hostile.asked.filter(({ path }) => path === "/keys").length
    for (let index = 0; index < 5; index++) {
      await comeWith(forged, hostile, ({ claims, sign }) => sign(claims, { kid: `unknown-${index}` }))
    }
    expect(hostile.asked.filter(({ path }) => path === "/keys").length - before).toBeLessThanOrEqual(1)
  })
  for (const header of [{ jku: `${hostile.issuer}/keys` }, { x5u: `${hostile.issuer}/keys` }, { jwk: { kty: "RSA" } }]) {
    await row.assert(
      `${Object.keys(header).join()} in the header`,
      mustBeRefusedToken(({ claims, sign }) => sign(claims, header))
    )
  }
  const changes: ReadonlyArray<readonly [string, object]> = [
    ["wrong `aud`", { aud: "another" }],
    ["several `aud` without `azp`", { aud: ["patch-manager", "another"] }],
    ["`azp` of another client", { azp: "another" }],
    ["expired", { exp: Math.floor(Date.now() / 1000) - 120 }],
    ["wrong `iss`", { iss: "https://evil.example" }],
    ["`iss` of another tenant", { iss: `${hostile.issuer}/another` }]
  ]
  for (const [clause, change] of changes) {
    await row.assert(
      clause,
      mustBeRefusedToken(({ claims, sign }) => sign({ ...claims, ...change }))
    )
  }
  await row.assert("`tid` not allowed", async () => {
    const at = () => ofTenant
    await mustBeRefusedToken(honest, at)()
    await mustBeRefusedToken(({ claims, sign }) => sign({ ...claims, tid: "00000000-0000-4000-8000-000000000000" }), at)()
    await mustEnter(await comeWith(ofTenant, hostile, ({ claims, sign }) => sign({ ...claims, tid: tenant, oid: "o" })))
  })
  await row.assert("endpoint `common` → refused", async () => {
    for (const name of ["common", "organizations", "consumers", "9188040d-6c67-4c5b-b112-36a304b66dad"]) {
      const issuer = `https://login.microsoftonline.com/${name}/v2.0`
      const answer = await world.send("POST", "/api/v1/sso/providers", { name, kind: "oidc", client_id: "x", issuer })
      expect([name, answer.status, answer.at("error.details.fields.0.path")]).toEqual([name, 422, "payload.issuer"])
      const tenant_id = name
      const entra = await world.send("POST", "/api/v1/sso/providers", { name, kind: "entra", client_id: "x", tenant_id })
      expect([name, entra.status]).toEqual([name, 422])
    }
  })
})

securityRow("S27", "two providers and one code", async (row) => {
  await row.assert("code from one sent to the other's callback → refused (per-provider redirect URI)", async () => {
    const began = await world.start(provider.id)
    const back = await passProvider(real, began.location, "anna")
    const wrong = new URL(otherProvider.redirect_uri)
    wrong.search = back.search
    expect(back.pathname).not.toBe(wrong.pathname)
    await mustCreateNothing(async () => expect((await world.comeBack(wrong, began.cookie)).status).toBe(400))
  })
  await row.assert("the same with a state of the other provider: its code is worth nothing there", async () => {
    const code = (await passProvider(real, (await world.start(provider.id)).location, "anna")).searchParams.get("code") ?? ""
    const began = await world.start(otherProvider.id)
    const back = new URL(otherProvider.redirect_uri)
    const state = new URL(began.location).searchParams.get("state") ?? ""
    back.search = new URLSearchParams({ code, state, iss: other.issuer }).toString()
    await mustCreateNothing(async () => mustRefuse(await world.comeBack(back, began.cookie), "token_refused"))
  })
  await row.assert("`iss` of another provider is refused before the code goes anywhere", async () => {
    const before = hostile.asked.filter(({ path }) => path === "/token").length
    await mustCreateNothing(async () =>
      mustRefuse(await comeWith(forged, hostile, honest, { iss: real.issuer }), "token_refused")
    )
    expect(hostile.asked.filter(({ path }) => path === "/token")).toHaveLength(before)
  })
})

securityRow("S28", "whose account it is", async (row) => {
  await row.assert("same mail as a local account with a password or MFA → no silent link", async () => {
    await world.web.addUser("boss@example.org", "admin")
    const entered = await mustEnter(
      await comeWith(forged, hostile, ({ claims, sign }) =>
        sign({ ...claims, sub: "attacker", preferred_username: "boss@example.org", email: "boss@example.org", email_verified: true })
      )
    )
    expect(entered).toMatchObject({ username: "boss@example.org-2", role: "auditor" })
    const linked = await world.web.rows(
      "select 1 from external_identities i join users u on u.id = i.user_id where u.username = 'boss@example.org'"
    )
    expect(linked).toEqual([])
  })
  const again = await world.addProvider({ issuer: second.issuer, ca_certificate: second.ca, mappings: readers })
  await row.assert("same `sub` from another issuer → another person", async () => {
    const named = (name: string) => ({ claims, sign }: Forge) =>
      sign({ ...claims, sub: "same", preferred_username: name })
    const one = await mustEnter(await comeWith(forged, hostile, named("one")))
    const two = await mustEnter(await comeWith(again, second, named("one")))
    expect([one.username, two.username]).toEqual(["one", "one-2"])
  })
  await row.assert("user key = (`iss`, `tid`, `oid` or `sub`), never mail or UPN", async () => {
    const as = (sub: string, name: string) => ({ claims, sign }: Forge) =>
      sign({ ...claims, sub, preferred_username: name, email: "shared@example.org", upn: "shared@example.org" })
    const before = await mustEnter(await comeWith(forged, hostile, as("subject-a", "maria")))
    const renamed = await mustEnter(await comeWith(forged, hostile, as("subject-a", "maria.new")))
    const successor = await mustEnter(await comeWith(forged, hostile, as("subject-b", "maria")))
    expect([before.username, renamed.username, successor.username]).toEqual(["maria", "maria", "maria-2"])
  })
  row.missing("link only from a logged-in, re-authenticated session", "linking an existing account is not offered at all")
})

securityRow("S29", "who gets which role", async (row) => {
  const without = (claims: object) => {
    const { groups: _, ...rest } = claims as { groups?: unknown }
    return rest
  }
  const claim = (change: object) => ({ claims, sign }: Forge) => sign({ ...without(claims), sub: "grouped", ...change })
  await row.assert("group claims missing → no role, so no way in", () =>
    mustCreateNothing(async () => mustRefuse(await comeWith(forged, hostile, claim({})), "groups_missing"))
  )
  await row.assert("over the limit (overage)", () =>
    mustCreateNothing(async () => {
      const overage = { _claim_names: { groups: "src1" }, _claim_sources: { src1: { endpoint: `${hostile.issuer}/groups` } } }
      mustRefuse(await comeWith(forged, hostile, claim(overage)), "groups_overage")
      mustRefuse(await comeWith(forged, hostile, claim({ hasgroups: true })), "groups_overage")
      expect(hostile.asked.some(({ path }) => path === "/groups")).toBe(false)
    })
  )
  await row.assert("forged in user info: nobody asks there", async () => {
    expect(hostile.asked.some(({ path }) => path === "/userinfo")).toBe(false)
  })
  await row.assert("groups that no mapping names, or that only look like one → no role", () =>
    mustCreateNothing(async () => {
      for (const groups of [["Readers"], ["readers "], [["readers"]], [{ name: "readers" }], [], ""]) {
        mustRefuse(await comeWith(forged, hostile, claim({ groups })), "no_role")
      }
    })
  )
  await row.assert("database error while counting admins → refuse", async () => {
    await world.web.rows("alter function lock_administrators rename to lock_administrators_away")
    try {
      await mustCreateNothing(async () => {
        const answer = await comeWith(forged, hostile, claim({ groups: ["readers"] }))
        expect(answer.status).toBe(500)
        expect(String(answer.headers["set-cookie"])).not.toContain("__Host-refresh")
      })
    } finally {
      await world.web.rows("alter function lock_administrators_away rename to lock_administrators")
    }
  })
  await row.assert('never "first user becomes admin": the role comes from the mapping alone', async () => {
    const first = await mustEnter(await comeWith(forged, hostile, claim({ groups: ["readers", "admins", "root"] })))
    expect(first.role).toBe("auditor")
  })
  await row.assert("the last administrator is not demoted by the provider", async () => {
    const admins = [{ provider_group: "admins", role: "admin", group_ids: [] }, ...readers]
    const boss = await world.addProvider({ issuer: hostile.issuer, ca_certificate: hostile.ca, mappings: admins })
    const only = (groups: ReadonlyArray<string>) => ({ claims, sign }: Forge) => sign({ ...claims, sub: "only", groups })
    expect((await mustEnter(await comeWith(boss, hostile, only(["admins"])))).role).toBe("admin")
    await world.web.rows("alter table users disable trigger keep_an_administrator")
    const others = "role = 'admin' and id not in (select user_id from external_identities where subject = 'sub:only')"
    await world.web.rows(`update users set disabled_at = now() where ${others}`)
    await world.web.rows("alter table users enable trigger keep_an_administrator")
    mustRefuse(await comeWith(boss, hostile, only(["readers"])), "last_administrator")
    await world.web.rows(`update users set disabled_at = null where ${others}`)
  })
})

securityRow("S30", "where one lands, and whose tokens count", async (row) => {
  const landing = async (target: string) => {
    const began = await world.start(forged.id, `?return_to=${encodeURIComponent(target)}`)
    const asked = new URL(began.location).searchParams
    const back = new URL(forged.redirect_uri)
    const code = await hostile.issue(asked.get("nonce") ?? "", honest)
    back.search = new URLSearchParams({ code, state: asked.get("state") ?? "" }).toString()
    return (await world.comeBack(back, began.cookie)).headers["location"]
  }
  const bad = [
    "//evil", "https:evil", "https://evil.example/", "\\evil", "/\\evil", "/\t/evil", "javascript:alert(1)", "/%2f/evil\n",
    "/api/v1/users", "/sign-in", "/hosts/../api/v1", "hosts", "/hosts#x", "/@evil"
  ]
  for (const target of bad) {
    await row.assert(`redirect after login = ${JSON.stringify(target)} → a local page`, async () =>
      expect(await landing(target)).toBe("/")
    )
  }
  await row.assert("known local paths are kept", async () => {
    for (const target of ["/hosts?status=degraded&sort=-name", "/jobs/01a200e4-e652-72f9-b45c-117b1e318cc9"]) {
      expect(await landing(target)).toBe(target)
    }
  })
  await row.assert("access token or ID token of the provider used as our bearer → 401", async () => {
    const now = Math.floor(Date.now() / 1000)
    const claims = { iss: hostile.issuer, aud: "patch-manager", sub: "person", iat: now, exp: now + 300 }
    const tokens = ["opaque", await hostile.sign(claims), await hostile.sign({ ...claims, iss: "patch-manager" }, { typ: "at+jwt" })]
    for (const token of tokens) expect((await world.web.call("GET", "/api/v1/hosts", { token })).status).toBe(401)
  })
})

securityRow("S80", "\"Test connection\" as a port scanner (OIDC)", async (row) => {
  const silent = createServer(() => undefined).listen(0, "127.0.0.1")
  const talking = createServer((socket) => void socket.on("error", () => undefined).end("SSH-2.0-OpenSSH_9.9\r\n")).listen(0, "127.0.0.1")
  row.after(() => (silent.close(), talking.close()))
  const filtered = await startFilteredPort()
  row.after(filtered.stop)
  const portOf = (server: typeof silent) => (server.address() as AddressInfo).port
  const tried = async (port: number) => {
    const made = await world.made(
      world.send("POST", "/api/v1/sso/providers", {
        name: `Port ${port}`, kind: "oidc", client_id: "x", issuer: `https://127.0.0.1:${port}`
      })
    )
    const at = performance.now()
    const answer = await world.made(world.send("POST", `/api/v1/sso/providers/${made.string("id")}/test`))
    return { ms: performance.now() - at, steps: JSON.stringify(answer.at("steps")).replaceAll(String(port), "PORT") }
  }
  const closed = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const port = portOf(server)
      server.close(() => resolve(port))
    })
  })
  const [one, two, three, four] = await Promise.all([closed, portOf(silent), portOf(talking), filtered.port].map(tried))
  await row.assert("same text for open, closed, filtered", () => {
    expect(two!.steps).toBe(one!.steps)
    expect(three!.steps).toBe(one!.steps)
    expect(four!.steps).toBe(one!.steps)
    expect(one!.steps).toContain('"connection","result":"failed"')
  })
  await row.assert("same time class for open, closed, filtered", () => {
    const times = [one!.ms, two!.ms, three!.ms, four!.ms]
    expect(Math.min(...times)).toBeGreaterThan(4800)
    expect(Math.max(...times) - Math.min(...times)).toBeLessThan(1000)
  })
})

securityRow("S78", "SSRF by an OIDC issuer", async (row) => {
  let knocked = 0
  const listener = createServer((socket) => (knocked++, socket.destroy()))
  await new Promise<void>((resolve) => listener.listen(0, "0.0.0.0", resolve))
  row.after(() => listener.close())
  const { port } = listener.address() as AddressInfo
  const strict = await startSsoWorld({ standInFleet: false })
  row.after(() => strict.web.stop())
  const stepsAt = async (issuer: string) => {
    const made = await strict.made(
      strict.send("POST", "/api/v1/sso/providers", { name: crypto.randomUUID(), kind: "oidc", client_id: "x", issuer })
    )
    await strict.change(made.string("id"), { enabled: true })
    const answer = await strict.made(strict.send("POST", `/api/v1/sso/providers/${made.string("id")}/test`))
    const began = await strict.start(made.string("id"))
    return [answer.at("steps.0.result"), answer.at("steps.1.result"), began.location]
  }
  const own = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).filter(({ internal }) => !internal))[0]
  const targets: ReadonlyArray<readonly [string, string]> = [
    ["loopback", "127.0.0.1"],
    ["`0.0.0.0`", "0.0.0.0"],
    ["169.254.0.0/16", "169.254.169.254"],
    ["names that stand for loopback", "localhost"],
    ["own addresses", own === undefined ? "127.0.0.2" : own.family === "IPv6" ? `[${own.address}]` : own.address],
    ["IPv6 forms", "[::1]"],
    ["IPv4 in IPv6", "[::ffff:127.0.0.1]"],
    ["decimal IPv4", "2130706433"],
    ["hex IPv4", "0x7f000001"]
  ]
  for (const [clause, host] of targets) {
    await row.assert(clause, async () => {
      expect(await stepsAt(`https://${host}:${port}`)).toEqual(["failed", "skipped", "/sign-in?sso_error=provider_unreachable"])
    })
  }
  await row.assert("database port", async () => {
    const url = new URL(strict.web.databaseUrl.replace(/^[a-z+]+:/, "http:"))
    expect(await stepsAt(`https://127.0.0.1:${url.port || "5432"}`)).toEqual([
      "failed",
      "skipped",
      "/sign-in?sso_error=provider_unreachable"
    ])
  })
  await row.assert("none of them was knocked at", () => expect(knocked).toBe(0))
  await row.assert("`file:`, `gopher:` → refused", async () => {
    for (const issuer of ["file:///etc/passwd", "gopher://127.0.0.1/", "http://id.example.org", "https://a:b@id.example.org"]) {
      const body = { name: issuer, kind: "oidc", client_id: "x", issuer }
      expect([issuer, (await strict.send("POST", "/api/v1/sso/providers", body)).status]).toEqual([issuer, 422])
    }
  })
  await row.assert("redirect", async () => {
    const path = "/.well-known/openid-configuration"
    hostile.overrides.set(path, { status: 302, headers: { location: `https://127.0.0.1:${port}/` }, body: "" })
    row.after(() => hostile.overrides.delete(path))
    const fresh = await world.addProvider({ issuer: hostile.issuer, ca_certificate: hostile.ca })
    expect((await world.start(fresh.id)).location).toBe("/sign-in?sso_error=provider_misconfigured")
    expect(knocked).toBe(0)
  })
  await row.assert("an endpoint of the discovery document that is not https", async () => {
    hostile.overrides.clear()
    hostile.metadata["token_endpoint"] = `http://127.0.0.1:${port}/token`
    const fresh = await world.addProvider({ issuer: hostile.issuer, ca_certificate: hostile.ca })
    expect((await world.start(fresh.id)).location).toBe("/sign-in?sso_error=provider_misconfigured")
    delete hostile.metadata["token_endpoint"]
    expect(knocked).toBe(0)
  })
  row.missing(
    "DNS answer changing between check and use",
    "no name server of the test's own here: names are checked in the look-up that the connection itself makes"
  )
})
