import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type OidcProvider, startOidcProvider } from "#test/harness/oidcProvider.ts"
import { passProvider, startSsoWorld, type SsoWorld } from "./ssoWorld.ts"

let world: SsoWorld
let oidc: OidcProvider
let group: string
let provider: { readonly id: string; readonly redirect_uri: string }
beforeAll(async () => {
  world = await startSsoWorld()
  oidc = await startOidcProvider({
    redirectUris: ["https://localhost:8443/unused"],
    people: {
      anna: {
        name: "Anna Admin",
        preferred_username: "anna@example.org",
        groups: ["admins", "staff"],
        amr: ["pwd", "mfa"]
      },
      olaf: { name: "Olaf", preferred_username: "olaf@example.org", groups: ["ops"], amr: ["pwd"] },
      mia: { name: "Mia", preferred_username: "mia", groups: ["readers"], acr: "urn:example:two-factors" },
      stranger: { name: "Nobody", groups: ["staff"], amr: ["mfa"] }
    }
  })
  group = (await world.made(world.send("POST", "/api/v1/groups", { name: "Databases" }))).string("id")
  provider = await world.addReal(oidc, group, { name: "Staff", accepted_acr: ["urn:example:two-factors"] })
})
afterAll(async () => {
  await world.web.stop()
  await oidc.stop()
})

describe("signing in through a provider", () => {
  it("is offered on the sign-in page only while it is switched on", async () => {
    const path = "/api/v1/auth/providers"
    expect((await world.web.call("GET", path)).json()).toEqual({ items: [{ id: provider.id, name: "Staff" }] })
    await world.change(provider.id, { enabled: false })
    expect((await world.web.call("GET", path)).json()).toEqual({ items: [] })
    const began = await world.start(provider.id)
    expect(began.location).toBe("/sign-in?sso_error=provider_unknown")
    await world.change(provider.id, { enabled: true })
  })

  it("sends off with PKCE, state and nonce, and comes back signed in where it began", async () => {
    const began = await world.start(provider.id, "?return_to=/hosts?status=degraded")
    const asked = new URL(began.location)
    expect(began.answer.status).toBe(303)
    expect(asked.origin).toBe(oidc.issuer)
    expect(Object.fromEntries(asked.searchParams)).toMatchObject({
      response_type: "code",
      client_id: oidc.client.id,
      redirect_uri: provider.redirect_uri,
      scope: "openid profile email",
      code_challenge_method: "S256"
    })
    for (const name of ["state", "nonce", "code_challenge"]) expect(asked.searchParams.get(name)).toMatch(/^[\w-]{43}$/)
    expect(String(began.answer.headers["set-cookie"])).toMatch(/^__Host-sso=.*SameSite=Lax/)
    const done = await world.comeBack(await passProvider(oidc, began.location, "anna"), began.cookie)
    expect([done.status, done.headers["location"]]).toEqual([303, "/hosts?status=degraded"])
    const cookies = [done.headers["set-cookie"] ?? []].flat()
    expect(cookies.find((line) => line.startsWith("__Host-sso="))).toMatch(/Max-Age=0/)
    const session = String(cookies.find((line) => line.startsWith("__Host-refresh="))).split(";")[0] ?? ""
    const answer = await world.refresh(session)
    expect(answer.json()).toMatchObject({
      status: "signed_in",
      user: { username: "anna@example.org", display_name: "Anna Admin", role: "admin" }
    })
    const me = await world.web.call("GET", "/api/v1/hosts", { token: answer.string("access_token") })
    expect(me.status).toBe(200)
  })

  it("makes the account once, with a row in the audit log", async () => {
    await world.signInThrough(oidc, provider.id, "anna")
    await world.signInThrough(oidc, provider.id, "anna")
    const users = await world.web.rows("select * from users where username like 'anna%'")
    expect(users).toMatchObject([{ origin: "sso", password_hash: null }])
    const created = (await world.audits("user.create")).filter(({ actor_kind }) => actor_kind === "machine")
    expect(created.filter(({ after }) => after["username"] === "anna@example.org")).toHaveLength(1)
  })

  it("owes our second factor where the provider names none, and takes an acr that was agreed", async () => {
    const olaf = await world.signInThrough(oidc, provider.id, "olaf")
    const half = await world.refresh(olaf.session ?? "")
    expect(half.at("status")).toBe("enrolment_required")
    const refused = await world.web.call("GET", "/api/v1/hosts", { token: half.string("access_token") })
    expect([refused.status, refused.at("error.code")]).toEqual([401, "mfa_required"])
    const mia = await world.signInThrough(oidc, provider.id, "mia")
    expect((await world.refresh(mia.session ?? "")).at("user.role")).toBe("auditor")
  })

  it("sets role and groups anew at each sign-in, and says so in the audit log", async () => {
    oidc.setPerson("cara", { preferred_username: "cara", groups: ["ops"], amr: ["otp"] })
    const first = await world.signInThrough(oidc, provider.id, "cara")
    expect((await world.refresh(first.session ?? "")).at("user.role")).toBe("operator")
    const member = () =>
      world.web.rows("select g.group_id from user_groups g join users u on u.id = g.user_id where u.username = 'cara'")
    expect(await member()).toEqual([{ group_id: group }])
    oidc.setPerson("cara", { preferred_username: "renamed", groups: ["readers"], amr: ["otp"] })
    const second = await world.signInThrough(oidc, provider.id, "cara")
    expect((await world.refresh(second.session ?? "")).json()).toMatchObject({
      user: { username: "cara", role: "auditor" }
    })
    expect(await member()).toEqual([])
    expect((await world.audits("user.edit"))[0]).toMatchObject({
      actor_name: "sign-in through Staff",
      before: { role: "operator", group_ids: [group] },
      after: { role: "auditor", group_ids: [] }
    })
  })

  it("lets nobody in without a role, and says why", async () => {
    const stranger = await world.signInThrough(oidc, provider.id, "stranger")
    expect([stranger.location, stranger.session]).toEqual(["/sign-in?sso_error=no_role", null])
    expect((await world.audits("session.sso_refused"))[0]).toMatchObject({
      object_id: provider.id,
      after: { code: "no_role" }
    })
    const cancelled = await world.signInThrough(oidc, provider.id, "-")
    expect(cancelled.location).toBe("/sign-in?sso_error=access_denied")
  })

  it("does not count as a fresh proof where the provider knew the person already", async () => {
    const person = { preferred_username: "dora", groups: ["admins"], amr: ["mfa"] }
    const provenAt = async (signed_in_seconds_ago: number) => {
      oidc.setPerson("dora", { ...person, signed_in_seconds_ago })
      const { session } = await world.signInThrough(oidc, provider.id, "dora")
      const token = (await world.refresh(session ?? "")).string("access_token")
      return (await world.web.call("GET", "/api/v1/auth/me", { token })).at("stepped_up_at")
    }
    expect(await provenAt(0)).toBeTypeOf("string")
    expect(await provenAt(3600)).toBeNull()
  })

  it("refuses a disabled account", async () => {
    oidc.setPerson("eva", { preferred_username: "eva", groups: ["ops"], amr: ["mfa"] })
    await world.signInThrough(oidc, provider.id, "eva")
    await world.web.rows("update users set disabled_at = now() where username = 'eva'")
    const again = await world.signInThrough(oidc, provider.id, "eva")
    expect([again.location, again.session]).toEqual(["/sign-in?sso_error=account_disabled", null])
  })
})

describe("a provider", () => {
  const path = "/api/v1/sso/providers"

  it("never gives its secret back, and keeps it sealed", async () => {
    const shown = await world.send("GET", `${path}/${provider.id}`)
    expect(shown.json()).toMatchObject({
      has_client_secret: true,
      issuer: oidc.issuer,
      identities_total: expect.any(Number)
    })
    const list = await world.send("GET", path)
    const stored = await world.web.rows<{ text: string }>(
      "select t::text as text from azure_sso_config t union all select t::text from audit_log t"
    )
    for (const text of [shown.text, list.text, ...stored.map((row) => row.text)]) {
      expect(text).not.toContain(oidc.client.secret)
      expect(text).not.toContain(Buffer.from(oidc.client.secret).toString("hex"))
    }
  })

  it("is made once for an Idempotency-Key, switched off, and of one tenant for Entra", async () => {
    const body = { name: "Entra", kind: "entra", tenant_id: "11111111-2222-3333-4444-555555555555", client_id: "app" }
    const make = () => world.send("POST", path, body, { "idempotency-key": "entra" })
    const first = await make()
    expect(first.json()).toMatchObject({
      enabled: false,
      issuer: "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0",
      has_client_secret: false
    })
    expect((await make()).json()).toEqual(first.json())
    const again = await world.send("POST", path, body)
    expect([again.status, again.at("error.code")]).toEqual([409, "name_taken"])
    expect(
      (await world.send("POST", path, { ...body, name: "x", tenant_id: null })).at("error.details.fields.0.path")
    ).toBe("payload.tenant_id")
    expect((await world.send("DELETE", `${path}/${first.string("id")}`)).status).toBe(204)
    expect((await world.send("GET", `${path}/${first.string("id")}`)).at("error.code")).toBe("sso_provider_not_found")
  })

  it("is edited only as it was read, and takes its secret along nowhere", async () => {
    const edit = (body: object, headers: Record<string, string> = {}) =>
      world.send("PATCH", `${path}/${provider.id}`, body, headers)
    const version = String((await world.send("GET", `${path}/${provider.id}`)).headers["etag"])
    expect((await edit({ name: "x" })).status).toBe(428)
    expect((await edit({ name: "x" }, { "if-match": "1" })).status).toBe(412)
    const elsewhere = await edit({ issuer: "https://evil.example" }, { "if-match": version })
    expect([elsewhere.status, elsewhere.at("error.details.fields.0.path")]).toEqual([422, "payload.client_secret"])
    const foreign = await edit(
      { mappings: [{ provider_group: "x", role: null, group_ids: ["01a200e4-e652-72f9-b45c-117b1e318cc9"] }] },
      { "if-match": version }
    )
    expect([foreign.status, foreign.at("error.details.fields.0.path")]).toEqual([422, "payload.mappings.0.group_ids"])
  })

  it("is changed only by administrators who proved who they are", async () => {
    await world.web.addUser("reader", "auditor")
    await world.web.addUser("second", "admin")
    const reader = (await world.web.signIn("reader")).token
    expect((await world.web.call("GET", path, { token: reader })).status).toBe(200)
    expect((await world.web.call("DELETE", `${path}/${provider.id}`, { token: reader })).status).toBe(403)
    const { token } = await world.web.signIn("second")
    await world.web.rows(
      "update sessions set stepped_up_at = now() - interval '6 minutes' where user_id = (select id from users where username = 'second')"
    )
    const stale = () => world.web.call("DELETE", `${path}/${provider.id}`, { token })
    await expect.poll(async () => (await stale()).at("error.code"), { timeout: 5000 }).toBe("reauth_required")
  })
})

describe("testing the connection", () => {
  const test = async (body: object) => {
    const made = await world.made(
      world.send("POST", "/api/v1/sso/providers", {
        name: `Tried ${crypto.randomUUID()}`,
        kind: "oidc",
        issuer: oidc.issuer,
        client_id: oidc.client.id,
        client_secret: oidc.client.secret,
        ca_certificate: oidc.ca,
        ...body
      })
    )
    const answer = await world.made(world.send("POST", `/api/v1/sso/providers/${made.string("id")}/test`))
    const steps = answer.at("steps") as ReadonlyArray<{ step: string; result: string; message: string }>
    return {
      id: made.string("id"),
      answer,
      steps,
      results: Object.fromEntries(steps.map(({ step, result }) => [step, result]))
    }
  }

  it("names every step, and changes nothing but the audit log", async () => {
    const { id, answer, results } = await test({})
    expect(answer.at("passed")).toBe(true)
    expect(results).toEqual({
      address: "passed",
      connection: "passed",
      certificate: "passed",
      discovery: "passed",
      issuer: "passed",
      keys: "passed",
      pkce: "passed",
      client: "passed"
    })
    expect(answer.string("redirect_uri")).toContain(`/api/v1/auth/sso/${id}/callback`)
    expect((await world.send("GET", `/api/v1/sso/providers/${id}`)).json()).toMatchObject({
      enabled: false,
      version: 1
    })
    expect((await world.audits("sso_provider.test"))[0]).toMatchObject({ object_id: id, after: { passed: true } })
  })

  it("finds a wrong secret", async () => {
    const { answer, results } = await test({ client_secret: "not this one" })
    expect([answer.at("passed"), results["pkce"], results["client"]]).toEqual([false, "passed", "failed"])
  })

  it("finds a certificate that nobody vouches for", async () => {
    const { results, steps } = await test({ ca_certificate: null })
    expect([results["connection"], results["certificate"], results["discovery"]]).toEqual([
      "passed",
      "failed",
      "skipped"
    ])
    expect(steps.find(({ step }) => step === "certificate")?.message).toContain("SELF_SIGNED")
  })

  it("finds an issuer that calls itself otherwise", async () => {
    const { results, steps } = await test({ issuer: `${oidc.issuer}/` })
    expect([results["discovery"], results["issuer"], results["keys"]]).toEqual(["passed", "failed", "skipped"])
    expect(steps.find(({ step }) => step === "issuer")?.message).toContain(oidc.issuer)
  })
})

describe("a provider that is away", () => {
  it("is told from a fault of the person, shows up with the provider, and leaves local accounts alone", async () => {
    const away = await startOidcProvider({ redirectUris: ["https://localhost:8443/unused"], people: {} })
    const { id } = await world.addReal(away, undefined, { name: "Away" })
    await away.stop()
    const at = performance.now()
    expect((await world.start(id)).location).toBe("/sign-in?sso_error=provider_unreachable")
    expect(performance.now() - at).toBeLessThan(6000)
    const shown = await world.send("GET", `/api/v1/sso/providers/${id}`)
    expect(shown.at("last_failure.message")).toContain("did not answer")
    expect(shown.at("version")).toBe(2)
    expect((await world.web.login("root")).answer.status).toBe(200)
    expect((await world.signInThrough(oidc, provider.id, "anna")).location).toBe("/")
  })
})
