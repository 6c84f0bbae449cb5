/**
 * Every endpoint that changes something leaves exactly one row in the audit log, and changes nothing where the row cannot be
 * written. The table names every endpoint of the contract that is no GET; one that is not in it fails.
 */
import { HttpApi } from "effect/http-api"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Api } from "#http/api/Api.ts"
import { makeJobWorld } from "./jobWorld.ts"
import { type ScopeWorld, startScopeWorld } from "./scopeWorld.ts"
import type { Answer } from "./TestWeb.ts"

let world: ScopeWorld
let host = ""
beforeAll(async () => {
  world = await startScopeWorld()
  host = world.hosts.open
  await makeJobWorld(world.web, world.admin).list(host, [{ name: "nginx", from: "1.0", to: "1.1" }])
  await world.web.rows("insert into system_config (key, value) values ('discovery_networks', '[\"127.0.0.0/8\"]')")
})
afterAll(() => world.web.stop())

const send = (method: string, path: string, body?: object, headers: Record<string, string> = {}) =>
  world.send(world.admin, method, `/api/v1${path}`, body, headers)
const made = (path: string, body: object): Promise<string> =>
  world.made(send("POST", path, body)).then((answer) => answer.string("id"))
const first = { "if-match": '"1"' }

let numbers = 0
const fresh = (name: string): string => `${name}-${++numbers}`
const newHost = () => world.host([])
const newGroup = () => made("/groups", { name: fresh("group") })
const newHold = () => made("/holds", { target: { kind: "host", host_id: host }, pattern: fresh("p"), reason: "test" })
const window = () => ({
  name: fresh("window"),
  kind: "open",
  rule: { kind: "daily", starts_at_local: "02:00" },
  time_zone: "UTC",
  duration_minutes: 60,
  scope: { kind: "host", host_id: host }
})
const newWindow = () => made("/windows", window())
const user = () => ({ username: fresh("user"), display_name: "Test", role: "operator", group_ids: [] })
const newUser = async () => {
  const answer = await world.made(send("POST", "/users", user()))
  return String(answer.at("user.id") ?? answer.at("id"))
}
const token = () => ({ name: fresh("token"), permissions: ["hosts:read"], expires_in_days: 1 })
const provider = () => ({
  name: fresh("provider"),
  kind: "oidc",
  issuer: "https://idp.example.org",
  client_id: "patch-manager",
  client_secret: "x".repeat(32)
})
const newProvider = () => made("/sso/providers", provider())
const reboot = async () => ({ kind: "reboot", host_ids: [await newHost()] })
const newJob = async () => made("/jobs", await reboot())
const endScans = () => world.web.rows("update discovery_scans set state = 'done' where state <> 'done'")
const etag = async (path: string) => ({ "if-match": String((await send("GET", path)).headers["etag"]) })

/** What a successful call of it is: made ready first, so that only the call itself is counted. */
type Call = () => Promise<() => Promise<Answer>>
const ready =
  (call: () => Promise<Answer>): Call =>
  async () =>
    call

const changes: Readonly<Record<string, Call>> = {
  "POST /hosts": ready(() => send("POST", "/hosts", { address: `127.30.0.${++numbers}` })),
  "PATCH /hosts/:id": async () => {
    const id = await newHost()
    return () => send("PATCH", `/hosts/${id}`, { display_name: "renamed" }, first)
  },
  "DELETE /hosts/:id": async () => {
    const id = await newHost()
    return () => send("DELETE", `/hosts/${id}`)
  },
  "POST /hosts/:id/refresh": ready(() => send("POST", `/hosts/${host}/refresh`)),
  "POST /hosts/:id/certificate": ready(() => send("POST", `/hosts/${host}/certificate`)),
  "POST /groups": ready(() => send("POST", "/groups", { name: fresh("group") })),
  "PATCH /groups/:id": async () => {
    const id = await newGroup()
    return () => send("PATCH", `/groups/${id}`, { description: "x" }, first)
  },
  "DELETE /groups/:id": async () => {
    const id = await newGroup()
    return () => send("DELETE", `/groups/${id}?confirm_ungrouped=0`)
  },
  "PUT /groups/:id/hosts": async () => {
    const id = await newGroup()
    return () => send("PUT", `/groups/${id}/hosts`, { host_ids: [host] })
  },
  "POST /groups/:id/hosts/add": async () => {
    const id = await newGroup()
    return () => send("POST", `/groups/${id}/hosts/add`, { host_ids: [host] })
  },
  "POST /groups/:id/hosts/remove": async () => {
    const id = await newGroup()
    await send("POST", `/groups/${id}/hosts/add`, { host_ids: [host] })
    return () => send("POST", `/groups/${id}/hosts/remove`, { host_ids: [host] })
  },
  "PUT /groups/:id/users": async () => {
    const id = await newGroup()
    return () => send("PUT", `/groups/${id}/users`, { usernames: ["free"] })
  },
  "PUT /groups/:id/service-checks": async () => {
    const id = await newGroup()
    return () => send("PUT", `/groups/${id}/service-checks`, { services: ["nginx.service"] })
  },
  "PUT /hosts/:id/service-checks": ready(() =>
    send("PUT", `/hosts/${host}/service-checks`, { services: ["nginx.service"] })
  ),
  "POST /holds": ready(() =>
    send("POST", "/holds", { target: { kind: "host", host_id: host }, pattern: "vim", reason: "test" })
  ),
  "PATCH /holds/:id": async () => {
    const id = await newHold()
    return () => send("PATCH", `/holds/${id}`, { reason: "other" }, first)
  },
  "DELETE /holds/:id": async () => {
    const id = await newHold()
    return () => send("DELETE", `/holds/${id}`)
  },
  "POST /windows": ready(() => send("POST", "/windows", window())),
  "PATCH /windows/:id": async () => {
    const id = await newWindow()
    return () => send("PATCH", `/windows/${id}`, { duration_minutes: 90 }, first)
  },
  "DELETE /windows/:id": async () => {
    const id = await newWindow()
    return () => send("DELETE", `/windows/${id}`)
  },
  "PATCH /settings": async () => {
    const match = await etag("/settings")
    return () => send("PATCH", "/settings", { agent_concurrency: 32 }, match)
  },
  "PATCH /network": async () => {
    const match = await etag("/network")
    return () => send("PATCH", "/network", { agent_networks: ["127.0.0.0/8"] }, match)
  },
  "POST /discovery/cidr": async () => {
    await endScans()
    return () => send("POST", "/discovery/cidr", { cidr: "127.40.0.0/30" })
  },
  "POST /discovery/scans/:id/cancel": async () => {
    await endScans()
    const id = await made("/discovery/cidr", { cidr: "127.40.0.0/30" })
    return () => send("POST", `/discovery/scans/${id}/cancel`)
  },
  "POST /jobs": async () => {
    const body = await reboot()
    return () => send("POST", "/jobs", body)
  },
  "POST /jobs/:id/cancel": async () => {
    const id = await newJob()
    return () => send("POST", `/jobs/${id}/cancel`)
  },
  "POST /users": ready(() => send("POST", "/users", user())),
  "PATCH /users/:id": async () => {
    const id = await newUser()
    const match = await etag(`/users/${id}`)
    return () => send("PATCH", `/users/${id}`, { display_name: "Other" }, match)
  },
  "DELETE /users/:id": async () => {
    const id = await newUser()
    return () => send("DELETE", `/users/${id}`)
  },
  "POST /users/:id/reset-password": async () => {
    const id = await newUser()
    return () => send("POST", `/users/${id}/reset-password`)
  },
  "POST /tokens": ready(() => send("POST", "/tokens", token())),
  "DELETE /tokens/:id": async () => {
    const id = await made("/tokens", token())
    return () => send("DELETE", `/tokens/${id}`)
  },
  "DELETE /sessions/:id": async () => {
    const { session } = await world.web.signIn("free")
    return () => send("DELETE", `/sessions/${session}`)
  },
  "DELETE /auth/sessions/:id": async () => {
    const { session } = await world.web.signIn("admin")
    return () => send("DELETE", `/auth/sessions/${session}`)
  },
  "POST /auth/logout": async () => {
    const { cookie } = await world.web.signIn("free")
    return () => world.web.call("POST", "/api/v1/auth/logout", { headers: { cookie } })
  },
  "POST /sso/providers": ready(() => send("POST", "/sso/providers", provider())),
  "PATCH /sso/providers/:id": async () => {
    const id = await newProvider()
    return () => send("PATCH", `/sso/providers/${id}`, { name: fresh("provider") }, first)
  },
  "DELETE /sso/providers/:id": async () => {
    const id = await newProvider()
    return () => send("DELETE", `/sso/providers/${id}`)
  },
  "POST /audit/verifications": ready(() => send("POST", "/audit/verifications")),
  "POST /audit/verifications/:id/cancel": async () => {
    await world.web.rows("update audit_verifications set state = 'cancelled' where state = 'queued'")
    const id = await made("/audit/verifications", {})
    return () => send("POST", `/audit/verifications/${id}/cancel`)
  }
}

/** Rows of these are asserted where the deed itself is tested; a successful call needs more than one request. */
const elsewhere: Readonly<Record<string, string>> = {
  "POST /auth/login": "test/http/auth.test.ts",
  "POST /auth/mfa/totp": "test/http/factors.test.ts",
  "POST /auth/mfa/recovery-code": "test/http/factors.test.ts",
  "POST /auth/mfa/passkey": "test/security/passkeys.test.ts",
  "POST /auth/passkey": "test/security/passkeys.test.ts",
  "POST /auth/factors/totp/confirm": "test/http/factors.test.ts",
  "POST /auth/factors/passkeys": "test/security/passkeys.test.ts",
  "DELETE /auth/factors/totp": "test/http/factors.test.ts",
  "DELETE /auth/factors/passkeys/:id": "test/security/passkeys.test.ts",
  "POST /auth/factors/recovery-codes": "test/http/factors.test.ts",
  "PUT /auth/password": "test/http/passwords.test.ts",
  "POST /users/:id/reset-mfa": "test/http/users.test.ts",
  "POST /network/confirm": "test/http/network.test.ts",
  "POST /sso/providers/:id/test": "test/http/sso.test.ts",
  "POST /discovery/scans/:id/register": "test/http/discovery.test.ts",
  "POST /enroll": "test/http/enrolments.test.ts",
  "POST /enrolments/:id/approve": "test/http/enrolments.test.ts",
  "POST /enrolments/:id/deny": "test/http/enrolments.test.ts",
  "POST /hosts/:id/dismiss": "test/http/hosts.test.ts",
  "POST /hosts/:id/retry": "test/http/hosts.test.ts",
  "POST /hosts/:id/settle": "test/http/hosts.test.ts",
  "POST /jobs/:id/pause": "test/http/jobs.test.ts",
  "POST /jobs/:id/resume": "test/http/jobs.test.ts",
  "POST /jobs/:id/retry": "test/http/jobFollowUps.test.ts",
  "POST /jobs/:id/rollback": "test/http/jobFollowUps.test.ts"
}

/** They change nothing that anybody else sees: questions, challenges, and what is renewed every few minutes. */
const silent: ReadonlyArray<string> = [
  "POST /auth/refresh",
  "POST /auth/mfa/passkey/options",
  "POST /auth/passkey/options",
  "POST /auth/factors/totp",
  "POST /auth/factors/passkeys/options",
  "POST /jobs/plan",
  "POST /jobs/:id/rollback/plan",
  "POST /windows/simulate",
  "POST /ws/ticket"
]

const head = async () => (await world.web.rows<{ seq: number }>("select seq::int as seq from audit_head"))[0]!.seq

it("names every endpoint that is no GET", () => {
  const routes: Array<string> = []
  HttpApi.reflect(Api, {
    onGroup: () => undefined,
    onEndpoint: ({ endpoint }) => {
      if (endpoint.method === "GET") return
      routes.push(`${endpoint.method} ${endpoint.path.replace(/^\/api\/v1/, "").replace(/(.)\/$/, "$1")}`)
    }
  })
  expect([...Object.keys(changes), ...Object.keys(elsewhere), ...silent].toSorted()).toEqual(routes.toSorted())
})

describe("one row for", () => {
  it.each(Object.entries(changes))("%s", async (_, prepare) => {
    const call = await prepare()
    const before = await head()
    const answer = await call()
    expect([answer.status < 300, answer.text]).toEqual([true, answer.text])
    expect((await head()) - before).toBe(1)
  })
})

describe("no row, no change:", () => {
  it.each(Object.entries(changes))("%s", async (_, prepare) => {
    const call = await prepare()
    const tables =
      "hosts groups holds maintenance_windows users api_tokens patch_jobs discovery_scans certificates".split(" ")
    const count = async () =>
      JSON.stringify(
        await Promise.all(
          tables.map((table) => world.web.rows(`select count(*)::int, max(xmin::text::bigint) from ${table}`))
        )
      )
    const before = await count()
    await world.web.rows("alter function audit_append rename to audit_append_away")
    try {
      const answer = await call()
      expect([500, 503]).toContain(answer.status)
      expect(answer.text).not.toMatch(/audit_append|function|sql/i)
    } finally {
      await world.web.rows("alter function audit_append_away rename to audit_append")
    }
    expect(await count()).toBe(before)
  })

  it("an export and a look at the log are refused as well", async () => {
    await world.web.rows("delete from audit_reads")
    await world.web.rows("alter function audit_append rename to audit_append_away")
    try {
      for (const path of ["/audit", "/audit/1", "/audit/export"]) {
        expect([500, 503]).toContain((await send("GET", path)).status)
      }
    } finally {
      await world.web.rows("alter function audit_append_away rename to audit_append")
    }
  })
})
