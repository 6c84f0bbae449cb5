/** Accounts: who takes what away from whom. */
import { Context } from "effect"
import { HttpApi } from "effect/http-api"
import { afterAll, beforeAll, expect } from "vitest"
import { rolePermissions } from "#core/Permission.ts"
import { Api } from "#http/api/Api.ts"
import { RequiredPermission } from "#http/api/RequiredPermission.ts"
import { Rpcs } from "#http/api/Rpcs.ts"
import type { Answer } from "#test/http/TestWeb.ts"
import { type AccessWorld, startAccessWorld } from "./accessWorld.ts"
import { rowCounts } from "./routeTable.ts"
import { securityRow } from "./securityRow.ts"

let world: AccessWorld
beforeAll(async () => {
  world = await startAccessWorld()
})
afterAll(() => world.web.stop())

const users = "/api/v1/users"
const codeOf = (answer: Answer) => [answer.status, answer.at("error.code")]
const versionOf = async (id: string) =>
  Number((await world.web.rows<{ version: string }>("select version from users where id = $1", [id]))[0]!.version)
const edit = async (who: string, id: string, change: object) =>
  world.send(who, "PATCH", `${users}/${id}`, change, { "if-match": `"${await versionOf(id)}"` })

/** A further administrator, signed in. */
const administrator = async (name: string) => {
  await world.web.addUser(name, "admin")
  return { id: await world.userId(name), ...(await world.web.signIn(name)) }
}
const enabledAdministrators = async () =>
  (
    await world.web.rows<{ username: string }>(
      "select username from users where role = 'admin' and disabled_at is null and origin <> 'break_glass' order by 1"
    )
  ).map(({ username }) => username)

securityRow("S23", "An administrator resets somebody's second factors", async (row) => {
  const { id, token } = await administrator("grace")
  row.after(() => world.web.rows("update users set role = 'auditor' where id = $1", [id]))
  const factors = () =>
    world.web.rows(
      "select (select count(*)::int from totp_secrets where user_id = $1) as totp, (select count(*)::int from passkeys where user_id = $1) as passkeys, (select count(*)::int from recovery_codes where user_id = $1) as codes",
      [id]
    )
  await world.web.rows(
    "insert into totp_secrets (id, user_id, secret_sealed, confirmed_at) values ($1, $1, '\\x01', now())",
    [id]
  )
  await world.web.rows(
    "insert into passkeys (id, user_id, name, credential_id, public_key, sign_count) values ($1, $1, 'key', '\\x0101', '\\x02', 0)",
    [id]
  )
  await world.web.rows("insert into recovery_codes (user_id, code_hash) values ($1, '\\x03')", [id])
  await row.assert("never the target himself, though he is an administrator", async () => {
    expect(codeOf(await world.send(token, "POST", `${users}/${id}/reset-mfa`))).toEqual([409, "own_account"])
    expect(await factors()).toEqual([{ totp: 1, passkeys: 1, codes: 1 }])
  })
  await row.assert("never sets a factor for him: body refused, nothing is left afterwards", async () => {
    const given = { totp_secret: "JBSWY3DPEHPK3PXP", factor: "totp" }
    await world.send(world.admin, "POST", `${users}/${id}/reset-mfa`, given)
    expect(await factors()).toEqual([{ totp: 0, passkeys: 0, codes: 0 }])
  })
  await row.assert("the target's sessions have ended", async () => {
    expect((await world.send(token, "GET", "/api/v1/hosts")).status).toBe(401)
  })
  await row.assert("he enrols by himself at his next sign-in, and reaches nothing else before", async () => {
    const login = await world.web.login("grace")
    expect(login.answer.at("status")).toBe("enrolment_required")
    const next = await world.send(login.token, "GET", "/api/v1/hosts")
    expect(codeOf(next)).toEqual([401, "mfa_required"])
  })
  await row.assert("audited with who, whom and how many", async () => {
    const [entry] = await world.audits("user.reset_mfa")
    expect(entry).toMatchObject({
      actor_name: "admin",
      object_id: id,
      after: { factors_removed: 2, sessions_ended: 1 }
    })
  })
  row.missing("target is mailed", "the manager sends no mail yet")
  row.missing(
    "needs a second admin",
    "it has to be another administrator than the target; approval by a third is not built"
  )
})

securityRow("S48", "Changing one's own rights", async (row) => {
  await row.assert("an operator or auditor who edits an administrator, himself or his groups: 403", async () => {
    const before = await world.web.rows("select * from users order by id")
    for (const [token, name] of [
      [world.ann, "ann"],
      [world.audrey, "audrey"]
    ] as const) {
      for (const target of [name, "admin"]) {
        const id = await world.userId(target)
        expect((await edit(token, id, { role: "admin" })).status).toBe(403)
        expect((await edit(token, id, { group_ids: [world.groups.b] })).status).toBe(403)
      }
      const joined = await world.send(token, "PUT", `/api/v1/groups/${world.groups.b}/users`, { usernames: [name] })
      expect(joined.status).toBe(403)
    }
    expect(await world.web.rows("select * from users order by id")).toEqual(before)
  })
  row.missing("group admin, edits a role he holds", "there are three fixed roles and nobody who administers one group")
})

securityRow("S49", "The last administrator", async (row) => {
  const me = await world.userId("admin")
  await row.assert("deletes, demotes or disables himself: 409", async () => {
    expect(await enabledAdministrators()).toEqual(["admin"])
    for (const change of [{ role: "operator" }, { disabled: true }]) {
      expect(codeOf(await edit(world.admin, me, change))).toEqual([409, "own_account"])
    }
    expect(codeOf(await world.send(world.admin, "DELETE", `${users}/${me}`))).toEqual([409, "own_account"])
  })
  await row.assert("an emergency account does not count, and does not take him away either: 409", async () => {
    const emergency = await administrator("sealed")
    await world.web.rows("update users set origin = 'break_glass' where id = $1", [emergency.id])
    for (const change of [{ role: "operator" }, { disabled: true }]) {
      expect(codeOf(await edit(emergency.token, me, change))).toEqual([409, "last_administrator"])
    }
    expect(codeOf(await world.send(emergency.token, "DELETE", `${users}/${me}`))).toEqual([409, "last_administrator"])
  })
  await row.assert("two demote each other at the same moment: one stays, 20 rounds", async () => {
    for (let round = 0; round < 20; round++) {
      const two = await administrator(`pair-${round}`)
      const mine = (await world.web.signIn("admin")).token
      const answers = await Promise.all([
        edit(mine, two.id, round % 2 === 0 ? { role: "operator" } : { disabled: true }),
        round % 3 === 0
          ? world.send(
              two.token,
              "PATCH",
              `${users}/${me}`,
              { disabled: true },
              { "if-match": `"${await versionOf(me)}"` }
            )
          : edit(two.token, me, { role: "auditor" })
      ])
      expect((await enabledAdministrators()).length, JSON.stringify(answers.map(({ text }) => text))).toBe(1)
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      await world.web.rows("update users set role = 'admin', disabled_at = null where id = $1", [me])
      await world.web.rows("update users set role = 'auditor' where id = $1", [two.id])
    }
  })
  await row.assert("database error while counting: refused, nothing changed", async () => {
    const two = await administrator("counted")
    const admin = (await world.web.signIn("admin")).token
    await world.web.rows("alter function other_administrators(uuid) rename to other_administrators_away")
    try {
      expect((await edit(admin, two.id, { role: "operator" })).status).toBeGreaterThanOrEqual(500)
      expect((await world.send(admin, "DELETE", `${users}/${two.id}`)).status).toBeGreaterThanOrEqual(500)
    } finally {
      await world.web.rows("alter function other_administrators_away(uuid) rename to other_administrators")
    }
    expect(await enabledAdministrators()).toEqual(["admin", "counted"])
  })
})

securityRow("S52", "The auditor", async (row) => {
  const audrey = (await world.web.signIn("audrey")).token
  const writes: Array<{ readonly name: string; readonly method: string; readonly path: string }> = []
  const own: Array<string> = []
  HttpApi.reflect(Api, {
    onGroup: () => undefined,
    onEndpoint: ({ endpoint }) => {
      const need = Context.get(endpoint.annotations, RequiredPermission)
      const path = endpoint.path.replace(/(.)\/$/, "$1")
      const name = `${endpoint.method} ${path}`
      if (endpoint.method === "GET" || need === "public" || need === undefined) return
      if (rolePermissions.auditor.includes(need)) own.push(name)
      else writes.push({ name, method: endpoint.method, path: path.replaceAll(/:[a-z_]+/g, world.hosts.own) })
    }
  })
  const counts = await rowCounts(world.web)
  await row.assert("any write: 403", async () => {
    expect(writes.length).toBeGreaterThan(40)
    const wrong: Array<string> = []
    for (const { name, method, path } of writes) {
      const answer = await world.web.call(method, path, {
        token: audrey,
        raw: "{}",
        headers: { "idempotency-key": name, "if-match": '"1"' }
      })
      if (answer.status !== 403) wrong.push(`${name}: ${answer.status}`)
    }
    const job = { kind: "reboot", reboot: "always", host_ids: [world.hosts.own] }
    const payload = { id: world.ids.job, idempotency_key: "s52", job }
    for (const [tag, rpc] of Rpcs.requests) {
      const need = Context.get(rpc.annotations, RequiredPermission)
      if (rolePermissions.auditor.some((one) => one === need)) continue
      const raw = `${JSON.stringify({ _tag: "Request", id: "1", tag, payload, headers: [] })}\n`
      const headers = { "content-type": "application/ndjson" }
      const answer = await world.web.call("POST", "/rpc", { token: audrey, raw, headers })
      if (!answer.text.includes("forbidden") && answer.status !== 403)
        wrong.push(`${tag}: ${answer.text.slice(0, 200)}`)
    }
    expect(wrong).toEqual([])
  })
  await row.assert("what he may send besides reads is about his own account, or asks and changes nothing", () =>
    expect(
      own.filter((name) => !/\/auth\/|\/ws\/ticket|\/tokens(?:\/|$)|\/plan$|\/simulate$|\/audit\//.test(name))
    ).toEqual([])
  )
  await row.assert("not a row more or less", async () => {
    const { audit_log: _before, audit_head: _head, ...rest } = counts
    const { audit_log: _after, audit_head: _now, ...now } = await rowCounts(world.web)
    expect(now).toEqual(rest)
  })
  await row.assert("audit role cannot see secrets: no first password, key or token by any read of his", async () => {
    for (const path of [
      users,
      "/api/v1/tokens?all=true",
      "/api/v1/sessions",
      "/api/v1/sso/providers",
      "/api/v1/audit"
    ]) {
      const answer = await world.send(audrey, "GET", path)
      expect([path, answer.status]).toEqual([path, 200])
      expect(answer.text).not.toMatch(
        /PRIVATE KEY|\$argon2|canary-client-secret|"temporary_password"|"token_hash"|lpm_/
      )
    }
  })
})
