import { Context } from "effect"
import { HttpApi } from "effect/http-api"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Permission, type Role, rolePermissions } from "#core/Permission.ts"
import { Api } from "#http/api/Api.ts"
import { sockets } from "#http/api/Live.ts"
import { RequiredPermission } from "#http/api/RequiredPermission.ts"
import { Rpcs } from "#http/api/Rpcs.ts"
import { startTestWeb, type TestWeb } from "./TestWeb.ts"

interface Route {
  readonly method: string
  readonly path: string
  readonly need: Permission | "public" | undefined
  readonly signIn: boolean
}

const routes: Array<Route> = []
HttpApi.reflect(Api, {
  onGroup: () => undefined,
  onEndpoint: ({ endpoint, middleware }) => {
    routes.push({
      method: endpoint.method,
      path: endpoint.path.replace(/(.)\/$/, "$1"),
      need: Context.get(endpoint.annotations, RequiredPermission),
      signIn: [...middleware].some((one) => one.key === "patch-manager/http/Authentication")
    })
  }
})

/** The only ones open to everybody. */
const open = [
  "POST /api/v1/auth/login",
  "POST /api/v1/auth/refresh",
  "POST /api/v1/auth/logout",
  "POST /api/v1/auth/passkey",
  "POST /api/v1/auth/passkey/options",
  "GET /api/v1/auth/providers",
  "GET /api/v1/auth/sso/:provider/start",
  "GET /api/v1/auth/sso/:provider/callback",
  "GET /status/health",
  "GET /api/v1/ca/root.crt",
  "POST /api/v1/enroll",
  "GET /api/v1/enroll/status/:token",
  "GET /api/v1/pki/crl.pem",
  "GET /api/v1/pki/repo-config"
]

/** §12.2 of the original design, as far as it exists; word for word. */
const kept = [
  "POST /api/v1/auth/login",
  "POST /api/v1/auth/refresh",
  "POST /api/v1/auth/logout",
  "GET /api/v1/hosts",
  "POST /api/v1/hosts",
  "GET /api/v1/hosts/:id",
  "DELETE /api/v1/hosts/:id",
  "GET /api/v1/jobs",
  "POST /api/v1/jobs",
  "GET /api/v1/ca/root.crt",
  "POST /api/v1/discovery/cidr",
  "GET /api/v1/hosts/:id/client.crt",
  "POST /api/v1/ws/ticket",
  "GET /status/health"
]

describe("the contract", () => {
  it("names a permission on every endpoint, procedure and socket", () => {
    expect(routes.length).toBeGreaterThan(25)
    for (const { method, path, need } of routes) expect([`${method} ${path}`, need]).not.toContain(undefined)
    expect(Rpcs.requests.size).toBe(10)
    for (const [tag, rpc] of Rpcs.requests) {
      expect([
        tag,
        Permission.literals.includes(Context.get(rpc.annotations, RequiredPermission) as Permission)
      ]).toEqual([tag, true])
    }
    for (const { permission } of Object.values(sockets)) expect(Permission.literals).toContain(permission)
  })

  it("is open to everybody only where listed, and everything else asks who it is", () => {
    const found = routes.filter((route) => route.need === "public").map(({ method, path }) => `${method} ${path}`)
    expect(found.toSorted()).toEqual(open.toSorted())
    for (const route of routes) expect([route.path, route.signIn]).toEqual([route.path, route.need !== "public"])
  })

  it("keeps the paths of the original design", () => {
    const paths = routes.map(({ method, path }) => `${method} ${path}`)
    for (const path of kept) expect(paths).toContain(path)
    expect(sockets.jobs.path).toBe("/api/v1/ws/jobs")
  })
})

describe("every role at every endpoint", () => {
  let web: TestWeb
  const tokens = new Map<Role, string>()
  beforeAll(async () => {
    web = await startTestWeb()
    for (const role of ["admin", "operator", "auditor"] as const) {
      await web.addUser(role, role)
      tokens.set(role, (await web.signIn(role)).token)
    }
  })
  afterAll(() => web.stop())

  const guarded = routes.filter((route) => route.need !== "public")
  const cases = guarded.flatMap((route) =>
    (["admin", "operator", "auditor"] as const).map((role) => [role, route.method, route.path, route] as const)
  )

  it.each(cases)("%s %s %s", async (role, method, path, route) => {
    const address = path.replace(":id", "01a200e4-e652-72f9-b45c-117b1e318cc9")
    const token = tokens.get(role) ?? ""
    const answer = await web.call(method, address, { token, ...(method === "GET" ? {} : { raw: "{" }) })
    const may = rolePermissions[role].some((permission) => permission === route.need)
    expect(answer.status === 403).toBe(!may)
    expect(answer.status).not.toBe(401)
  })

  it.each(guarded.map((route) => [route.method, route.path] as const))("nobody %s %s", async (method, path) => {
    const answer = await web.call(method, path.replace(":id", "x"))
    expect([answer.status, answer.at("error.code")]).toEqual([401, "unauthorized"])
  })
})
