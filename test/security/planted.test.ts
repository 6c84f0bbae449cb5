/**
 * Ten faults, planted one at a time into the product under test, and each turns the matrix red. Modules are replaced by themselves with
 * one thing taken out; the database, TLS and everything else are the real ones.
 */
import { Context, Effect } from "effect"
import { HttpApi } from "effect/http-api"
import { SqlClient } from "effect/sql"
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest"
import type { HostId } from "#core/Ids.ts"
import { forbiddenForTokens, type Permission, rolePermissions } from "#core/Permission.ts"
import { Api } from "#http/api/Api.ts"
import { RequiredPermission } from "#http/api/RequiredPermission.ts"
import { layer as databaseLayer } from "#sql/Database.ts"
import { runMatrix } from "./matrix/runMatrix.ts"
import { walledTables } from "./matrix/wall.ts"
import { type MatrixWorld, startMatrixWorld } from "./matrix/world.ts"

const planted = vi.hoisted(() => new Set<string>())

vi.mock(import("#sql/hostScope.ts"), async (original) => {
  const { hostScope } = await original()
  return { hostScope: (sql, principal) => (planted.has("scope") ? sql`true` : hostScope(sql, principal)) }
})
vi.mock(import("#sql/planTargets.ts"), async (original) => {
  const real = await original()
  return {
    ...real,
    // Hosts out of sight are left out in silence, and the rest of the request is carried out.
    freezeTarget: Effect.fnUntraced(function* (principal, request) {
      const frozen = yield* real.freezeTarget(principal, request)
      if (!planted.has("ids")) return frozen
      const sql = yield* SqlClient.SqlClient
      const rows = yield* sql<{ id: HostId }>`
        select id from hosts where id = any(${frozen.host_ids}::uuid[]) and removed_at is null`
      return { ...frozen, host_ids: rows.map(({ id }) => id) }
    })
  }
})
vi.mock(import("#http/server/authorize.ts"), async (original) => {
  const real = await original()
  return {
    ...real,
    authorize: (...args) => (planted.has("rpc") ? Effect.void : real.authorize(...args)),
    authorizeFor: (principal, need, annotations) =>
      planted.has("stage") ? real.authorize(principal, need) : real.authorizeFor(principal, need, annotations)
  }
})
const world = { url: "" }
vi.mock(import("#http/server/liveMessages.ts"), async (original) => {
  const { liveMessages } = await original()
  return {
    liveMessages: (principal, ...rest) =>
      planted.has("topic")
        ? liveMessages({ ...principal, role: "admin" }, ...rest).pipe(
            Effect.provide(databaseLayer({ url: world.url, applicationName: "planted", maxConnections: 1 }))
          )
        : liveMessages(principal, ...rest)
  }
})

let matrix: MatrixWorld
beforeAll(async () => {
  matrix = await startMatrixWorld()
  world.url = matrix.web.databaseUrl
}, 60_000)
afterAll(() => matrix.web.stop())

const undo: Array<() => unknown> = []
afterEach(async () => {
  planted.clear()
  for (const one of undo.splice(0).toReversed()) await one()
})

/** The endpoint itself, as the running server holds it. */
const annotate = (name: string, permission: Permission | undefined): void => {
  HttpApi.reflect(Api, {
    onGroup: () => undefined,
    onEndpoint: ({ endpoint }) => {
      if (`${endpoint.method} ${endpoint.path.replace(/(.)\/$/, "$1")}` !== name) return
      const before = endpoint.annotations
      const after =
        permission === undefined
          ? Context.omit(RequiredPermission)(before)
          : Context.add(before, RequiredPermission, permission)
      Object.assign(endpoint, { annotations: after })
      undo.push(() => Object.assign(endpoint, { annotations: before }))
    }
  })
}

/** A list that is constant, for as long as the fault stays. */
const change = (list: ReadonlyArray<Permission>, to: ReadonlyArray<Permission>): void => {
  const held = list as Array<Permission>
  const before = [...held]
  held.splice(0, held.length, ...to)
  undo.push(() => held.splice(0, held.length, ...before))
}

const wall = async (on: boolean): Promise<void> => {
  for (const table of walledTables) {
    await matrix.web.rows(`alter table ${table} ${on ? "enable" : "disable"} row level security`)
  }
}

const green = async (names: RegExp) => expect((await runMatrix(matrix, names)).faults).toEqual([])
const red = async (names: RegExp, ...words: ReadonlyArray<RegExp>) => {
  const { faults } = await runMatrix(matrix, names)
  for (const word of words) expect(faults).toContainEqual(expect.stringMatching(word))
}

describe("the matrix", () => {
  const some =
    /^(PATCH \/api\/v1\/settings|GET \/api\/v1\/hosts\/:id(\/patches)?$|PUT \/api\/v1\/auth\/password|RPC (GetHost|CancelJob|CreateJob)|SOCKET|POST \/api\/v1\/(holds|jobs|hosts\/:id\/refresh)$|WALL)/

  it("is green without a fault", () => green(some), 120_000)

  it("1: a wrong annotation", async () => {
    annotate("PATCH /api/v1/settings", "settings:read")
    await red(
      /^PATCH \/api\/v1\/settings/,
      /asks for settings:read.*the table says settings:change/,
      /by auditor.*expected forbidden, got granted/
    )
  })

  it("2: a missing annotation", async () => {
    annotate("GET /api/v1/hosts/:id/patches", undefined)
    await red(
      /^GET \/api\/v1\/hosts\/:id\/patches/,
      /names no permission/,
      /by admin, own: expected granted, got forbidden/
    )
  })

  it("3: the scope forgotten in the SQL, and no second wall", async () => {
    planted.add("scope")
    undo.push(() => wall(true))
    await wall(false)
    await red(
      /^(GET \/api\/v1\/hosts\/:id$|RPC GetHost|POST \/api\/v1\/holds$)/,
      /^GET .* by operator, other: expected absent, got granted/,
      /^RPC GetHost by operator, other/,
      /^POST .*holds by operator, other/
    )
  })

  it("4: row-level security off", async () => {
    undo.push(() => wall(true))
    await wall(false)
    await red(
      /^WALL/,
      /WALL hosts: an operator sees/,
      /WALL patch_jobs: an operator sees/,
      /WALL audit_log: an operator sees/,
      /WALL groups: an operator/
    )
  })

  it("5: a socket's topic without scope", async () => {
    planted.add("topic")
    await red(
      /^SOCKET/,
      /^SOCKET .*fleet by operator: was told of the host in other/,
      /^SOCKET .*jobs by operator: was told of the job in other/
    )
  })

  it("6: a procedure and a socket without a check", async () => {
    planted.add("rpc")
    await red(/^RPC CancelJob/, /by auditor, own: expected forbidden, got granted/)
  })

  it("7: ids in an array that nobody checks", async () => {
    planted.add("ids")
    await red(
      /^(POST \/api\/v1\/jobs|RPC CreateJob)$/,
      /^POST .* by operator, other: expected absent, got granted/,
      /^RPC CreateJob by operator, other: expected absent, got granted/,
      /by admin, unknown: expected absent, got granted/
    )
  })

  it("8: a token that may change accounts", async () => {
    change(forbiddenForTokens, [])
    const { token } = matrix.actors
    undo.push(() => Object.assign(matrix.actors, { token }))
    Object.assign(matrix.actors, { token: await matrix.web.tokenFor("admin") })
    await red(/^PUT \/api\/v1\/auth\/password/, /by token.*expected forbidden, got granted/)
  })

  it("9: an auditor who may write", async () => {
    change(rolePermissions.auditor, rolePermissions.operator)
    await red(/^POST \/api\/v1\/hosts\/:id\/refresh/, /by auditor, own: expected forbidden, got granted/)
  })

  it("10: sessions that owe a second factor are let in", async () => {
    planted.add("stage")
    await red(
      /^GET \/api\/v1\/hosts\/:id$/,
      /by password alone, own: expected mfa_required, got granted/,
      /by enrolling, own: expected mfa_required/
    )
  })
})

describe("the second wall", () => {
  it("keeps every row to its group's operators while the scope is forgotten in the SQL", async () => {
    planted.add("scope")
    await green(
      /^(GET \/api\/v1\/(hosts|jobs|holds|windows)|PATCH|DELETE|POST \/api\/v1\/(jobs|hosts|holds|windows)|RPC|SOCKET)/
    )
  }, 300_000)
})
