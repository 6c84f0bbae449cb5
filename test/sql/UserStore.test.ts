import { Effect, Predicate } from "effect"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import type { GroupId, UserId } from "#core/Ids.ts"
import type { Role } from "#core/Permission.ts"
import type { Caller } from "#core/User.ts"
import type { UserChange } from "#core/UserAccount.ts"
import { deleteUser, insertAccount, resetFactors, resetPassword, updateUser } from "#sql/userChanges.ts"
import { getUser, listUsers } from "#sql/userList.ts"
import { findByUsername, findUser } from "#sql/UserStore.ts"
import { startTestStores, type TestStores } from "./testStores.ts"

let stores: TestStores
beforeAll(async () => {
  stores = await startTestStores()
})
afterAll(() => stores.stop())

/** Every test begins with one administrator, the caller. */
beforeEach(() => stores.rows("update users set role = 'auditor' where username <> 'admin'"))

let made = 0
const add = async (role: Role, username = `user-${++made}`): Promise<UserId> => {
  const { answer } = await stores.run(insertAccount({ username, display_name: username, role, group_ids: [] }, "-"))
  return answer.id
}
const callerAs = (id: UserId): Caller => ({
  ...stores.caller,
  principal: { ...stores.caller.principal, user_id: id }
})
const codeOf = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<string, never, R> =>
  Effect.match(effect, {
    onFailure: (error) => (Predicate.hasProperty(error, "code") ? String(error.code) : String(error)),
    onSuccess: () => "done"
  })
const edit = async (caller: Caller, id: UserId, change: UserChange) => {
  const { version } = await stores.run(getUser(id))
  return stores.run(codeOf(updateUser(caller, id, version, change)))
}
const self = () => stores.caller.principal.user_id
const audits = (action: string) =>
  stores.rows<{ object_id: string; before: unknown; after: unknown }>(
    "select object_id, before, after from audit_log where action = $1 order by seq desc",
    [action]
  )

describe("the last administrator", () => {
  it("is neither demoted nor disabled nor deleted, whoever asks", async () => {
    const emergency = await add("admin")
    await stores.rows("update users set origin = 'break_glass' where id = $1", [emergency])
    const caller = callerAs(emergency)
    for (const change of [{ role: "operator" }, { role: "auditor" }, { disabled: true }] as const) {
      expect(await edit(caller, self(), change)).toBe("last_administrator")
    }
    expect(await stores.run(codeOf(deleteUser(caller, self())))).toBe("last_administrator")
    expect(await stores.run(getUser(self()))).toMatchObject({ role: "admin", disabled: false })
  })

  it("is whoever can sign in: the disabled and the deleted do not count", async () => {
    const [off, gone, other] = [await add("admin"), await add("admin"), await add("admin")]
    expect(await edit(stores.caller, off, { disabled: true })).toBe("done")
    expect(await stores.run(codeOf(deleteUser(stores.caller, gone)))).toBe("done")
    expect(await edit(callerAs(other), self(), { role: "operator" })).toBe("done")
    expect(await edit(stores.caller, other, { role: "operator" })).toBe("last_administrator")
    expect(await edit(callerAs(other), off, { disabled: false })).toBe("done")
    expect(await edit(callerAs(off), other, { disabled: true })).toBe("done")
    expect(await edit(callerAs(other), self(), { role: "admin" })).toBe("done")
  })

  it("remains when two take each other's role away at the same moment", async () => {
    for (let round = 0; round < 12; round++) {
      await stores.rows("update users set role = 'auditor' where username <> 'admin'")
      const other = await add("admin")
      const [mine, his] = await Promise.all([
        edit(stores.caller, other, round % 2 === 0 ? { role: "operator" } : { disabled: true }),
        edit(callerAs(other), self(), { role: "operator" })
      ])
      expect([mine, his].toSorted()).toEqual(["done", "last_administrator"])
      const left = await stores.rows<{ id: UserId }>(
        "select id from users where role = 'admin' and disabled_at is null and origin <> 'break_glass'"
      )
      expect(left.length).toBe(1)
      await stores.rows("update users set role = 'admin' where username = 'admin'")
    }
  })

  it("remains in a crowd: eight administrators delete each other in a ring", async () => {
    const ring = [self(), ...(await Promise.all(Array.from({ length: 7 }, () => add("admin"))))]
    const outcomes = await Promise.all(
      ring.map((id, index) => stores.run(codeOf(deleteUser(callerAs(id), ring[(index + 1) % ring.length]!))))
    )
    expect(outcomes.filter((code) => code === "last_administrator")).toHaveLength(1)
    await stores.rows("update users set deleted_at = null, disabled_at = null, role = 'admin' where username = 'admin'")
  })

  it("is kept by the database too, whatever program comes", async () => {
    await expect(stores.rows("update users set role = 'auditor' where username = 'admin'")).rejects.toThrow(
      "the last enabled administrator stays"
    )
    await expect(stores.rows("delete from users where username = 'admin'")).rejects.toThrow("stays")
  })

  it("is kept where the count cannot be taken", async () => {
    const other = await add("admin")
    await stores.rows("alter function other_administrators(uuid) rename to other_administrators_away")
    try {
      const before = await stores.run(getUser(other))
      expect(await edit(stores.caller, other, { role: "operator" })).not.toBe("done")
      expect(await stores.run(codeOf(deleteUser(stores.caller, other)))).not.toBe("done")
      expect(await stores.run(getUser(other))).toEqual(before)
    } finally {
      await stores.rows("alter function other_administrators_away(uuid) rename to other_administrators")
    }
    expect(await edit(stores.caller, other, { role: "operator" })).toBe("done")
  })
})

describe("one's own account", () => {
  it("is not demoted, disabled, deleted or reset by its owner, but renamed", async () => {
    await add("admin")
    for (const change of [{ role: "auditor" }, { disabled: true }] as const) {
      expect(await edit(stores.caller, self(), change)).toBe("own_account")
    }
    expect(await stores.run(codeOf(deleteUser(stores.caller, self())))).toBe("own_account")
    expect(await stores.run(codeOf(resetFactors(stores.caller, self())))).toBe("own_account")
    expect(await stores.run(codeOf(resetPassword(stores.caller, self(), "x")))).toBe("own_account")
    expect(await edit(stores.caller, self(), { display_name: "Ada", role: "admin", disabled: false })).toBe("done")
  })
})

describe("a user", () => {
  it("belongs to all the groups named or, where one is unknown, to those from before", async () => {
    const id = await add("operator")
    const group = "01a200e4-e652-72f9-b45c-117b1e318cc1" as GroupId
    await stores.rows("insert into groups (id, name) values ($1, 'Databases')", [group])
    expect(await edit(stores.caller, id, { group_ids: [group] })).toBe("done")
    expect(await edit(stores.caller, id, { group_ids: ["01a200e4-e652-72f9-b45c-117b1e318cc2" as GroupId] })).toBe(
      "group_not_found"
    )
    expect((await stores.run(getUser(id))).groups).toEqual([{ id: group, name: "Databases" }])
    expect((await audits("user.edit"))[0]).toMatchObject({ before: { group_ids: [] }, after: { group_ids: [group] } })
  })

  it("is edited by whoever read it last", async () => {
    const id = await add("operator")
    expect(await stores.run(codeOf(updateUser(stores.caller, id, 1, { display_name: "One" })))).toBe("done")
    expect(await stores.run(codeOf(updateUser(stores.caller, id, 1, { display_name: "Two" })))).toBe("version_mismatch")
    expect((await stores.run(getUser(id))).display_name).toBe("One")
  })

  it("once deleted is found nowhere, keeps what he did under his name, and his name goes to nobody else", async () => {
    const id = await add("operator", "gone")
    await stores.rows(
      "insert into api_tokens (id, user_id, name, token_hash, permissions, expires_at) values ($1, $1, 'ci', '\\x00', '{}', now() + interval '1 day')",
      [id]
    )
    await stores.rows("insert into sessions (id, user_id, stage, factor) values ($1, $1, 'full', 'totp')", [id])
    await stores.run(deleteUser(stores.caller, id))
    expect(await stores.run(findUser(id))).toBeNull()
    expect(await stores.run(findByUsername("gone"))).toBeNull()
    expect(await stores.run(codeOf(getUser(id)))).toBe("user_not_found")
    expect((await stores.run(listUsers({ q: "gone" }))).total).toBe(0)
    expect(await stores.run(codeOf(deleteUser(stores.caller, id)))).toBe("user_not_found")
    expect((await audits("user.delete"))[0]).toMatchObject({
      object_id: id,
      before: { username: "gone", role: "operator" },
      after: { sessions_ended: 1, tokens_revoked: 1 }
    })
    await expect(add("operator", "gone")).rejects.toThrow("belonged to somebody whose account was deleted")
    const rest = await stores.rows("select password_hash from users where id = $1", [id])
    expect(rest).toEqual([{ password_hash: null }])
  })

  it("loses every second factor and session by a reset, and an emergency account is not reset", async () => {
    const id = await add("admin")
    await stores.rows(
      "insert into totp_secrets (id, user_id, secret_sealed, confirmed_at) values ($1, $1, '\\x00', now())",
      [id]
    )
    await stores.rows(
      "insert into passkeys (id, user_id, name, credential_id, public_key, sign_count) values ($1, $1, 'key', '\\x01', '\\x02', 0)",
      [id]
    )
    await stores.rows("insert into recovery_codes (user_id, code_hash) values ($1, '\\x03')", [id])
    await stores.rows("insert into sessions (id, user_id, stage, factor) values ($1, $1, 'full', 'totp')", [id])
    const before = await stores.run(getUser(id))
    expect([before.factors, before.last_sign_in_at === null]).toEqual([{ totp: true, passkeys: 1 }, false])
    expect(await stores.run(resetFactors(stores.caller, id))).toEqual({ factors_removed: 2, sessions_ended: 1 })
    expect((await stores.run(getUser(id))).factors).toEqual({ totp: false, passkeys: 0 })
    expect(await stores.rows("select * from recovery_codes where user_id = $1", [id])).toEqual([])
    await stores.rows("update users set origin = 'break_glass' where id = $1", [id])
    expect(await stores.run(codeOf(resetFactors(stores.caller, id)))).toBe("break_glass_account")
    expect(await stores.run(codeOf(resetPassword(stores.caller, id, "x")))).toBe("break_glass_account")
    await stores.rows("update users set origin = 'sso' where id = $1", [id])
    expect(await stores.run(codeOf(resetPassword(stores.caller, id, "x")))).toBe("no_password")
  })

  it("is found by part of its names, in any order, page by page", async () => {
    for (const name of ["zeta-b", "zeta-a", "zeta-c"]) await add("operator", name)
    const names = async (request: Parameters<typeof listUsers>[0]) => {
      const page = await stores.run(listUsers(request))
      return { names: page.items.map(({ username }) => username), next: page.next_cursor, total: page.total }
    }
    expect((await names({ q: "ZETA" })).names).toEqual(["zeta-a", "zeta-b", "zeta-c"])
    for (const sort of ["-username", "created", "-last_sign_in", "display_name"] as const) {
      const all = (await names({ q: "zeta", sort })).names
      const first = await names({ q: "zeta", sort, limit: 2 })
      expect([first.names, first.total]).toEqual([all.slice(0, 2), 3])
      expect((await names({ q: "zeta", sort, limit: 2, cursor: first.next! })).names).toEqual(all.slice(2))
    }
    expect((await names({ q: "zeta", role: ["admin"] })).total).toBe(0)
    expect((await names({ q: "zeta", disabled: true })).total).toBe(0)
  })
})
