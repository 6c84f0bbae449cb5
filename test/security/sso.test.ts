import { createHmac } from "node:crypto"
import { afterAll, beforeAll, expect } from "vitest"
import { startOidcProvider, type OidcProvider } from "#test/harness/oidcProvider.ts"
import { passProvider, startSsoWorld, type SsoWorld } from "#test/http/ssoWorld.ts"
import { type Forge, type HostileProvider, startHostileProvider } from "./hostileProvider.ts"
import { securityRow } from "./securityRow.ts"
import { honest, type Provider, readers, type SsoAttack, ssoAttack, without } from "./ssoAttack.ts"

let world: SsoWorld
let real: OidcProvider
let other: OidcProvider
let hostile: HostileProvider
let provider: Provider
let otherProvider: Provider
let forged: Provider
let comeWith: SsoAttack["comeWith"]
let mustCreateNothing: SsoAttack["mustCreateNothing"]
let mustEnter: SsoAttack["mustEnter"]
let mustRefuse: SsoAttack["mustRefuse"]

beforeAll(async () => {
  world = await startSsoWorld()
  ;({ comeWith, mustCreateNothing, mustEnter, mustRefuse } = ssoAttack(world))
  const people = {
    anna: { preferred_username: "anna", groups: ["admins"], amr: ["mfa"] },
    rita: { preferred_username: "rita", groups: ["readers"], amr: ["mfa"] }
  }
  const uris = { redirectUris: ["https://localhost:8443/unused"], people }
  real = await startOidcProvider(uris)
  other = await startOidcProvider({ ...uris, address: "127.0.0.2" })
  hostile = await startHostileProvider()
  provider = await world.addReal(real)
  otherProvider = await world.addReal(other)
  forged = await world.addProvider({ issuer: hostile.issuer, ca_certificate: hostile.ca, mappings: readers })
})
afterAll(async () => {
  await world.web.stop()
  await Promise.all([real.stop(), other.stop(), hostile.stop()])
})

const mustBeRefusedToken =
  (forge: (honest: Forge) => Promise<string> | string, at = () => forged) =>
  () =>
    mustCreateNothing(async () => mustRefuse(await comeWith(at(), hostile, forge), "token_refused"))

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
    mustBeRefusedToken(({ claims, sign }) => sign(without(claims, "nonce")))
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
    const stolen = (await passProvider(real, (await world.start(provider.id)).location, "anna")).searchParams.get(
      "code"
    )
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
  await row.assert(
    "an honest token is taken",
    async () => void (await mustEnter(await comeWith(forged, hostile, honest)))
  )
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
  for (const header of [
    { jku: `${hostile.issuer}/keys` },
    { x5u: `${hostile.issuer}/keys` },
    { jwk: { kty: "RSA" } }
  ]) {
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
    await mustBeRefusedToken(
      ({ claims, sign }) => sign({ ...claims, tid: "00000000-0000-4000-8000-000000000000" }),
      at
    )()
    await mustEnter(await comeWith(ofTenant, hostile, ({ claims, sign }) => sign({ ...claims, tid: tenant, oid: "o" })))
  })
  await row.assert("endpoint `common` → refused", async () => {
    for (const name of ["common", "organizations", "consumers", "9188040d-6c67-4c5b-b112-36a304b66dad"]) {
      const issuer = `https://login.microsoftonline.com/${name}/v2.0`
      const answer = await world.send("POST", "/api/v1/sso/providers", { name, kind: "oidc", client_id: "x", issuer })
      expect([name, answer.status, answer.at("error.details.fields.0.path")]).toEqual([name, 422, "payload.issuer"])
      const tenant_id = name
      const entra = await world.send("POST", "/api/v1/sso/providers", {
        name,
        kind: "entra",
        client_id: "x",
        tenant_id
      })
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
    const code =
      (await passProvider(real, (await world.start(provider.id)).location, "anna")).searchParams.get("code") ?? ""
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
    "//evil",
    "https:evil",
    "https://evil.example/",
    "\\evil",
    "/\\evil",
    "/\t/evil",
    "javascript:alert(1)",
    "/%2f/evil\n",
    "/api/v1/users",
    "/sign-in",
    "/hosts/../api/v1",
    "hosts",
    "/hosts#x",
    "/@evil"
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
    const tokens = [
      "opaque",
      await hostile.sign(claims),
      await hostile.sign({ ...claims, iss: "patch-manager" }, { typ: "at+jwt" })
    ]
    for (const token of tokens) expect((await world.web.call("GET", "/api/v1/hosts", { token })).status).toBe(401)
  })
})
