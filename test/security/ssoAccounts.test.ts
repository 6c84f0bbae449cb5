/** Whose account a sign-in through a provider opens, and with which role. */
import { afterAll, beforeAll, expect } from "vitest"
import { startSsoWorld, type SsoWorld } from "#test/http/ssoWorld.ts"
import { type Forge, type HostileProvider, startHostileProvider } from "./hostileProvider.ts"
import { securityRow } from "./securityRow.ts"
import { type Provider, readers, type SsoAttack, ssoAttack, without } from "./ssoAttack.ts"

let world: SsoWorld
let hostile: HostileProvider
let second: HostileProvider
let forged: Provider
let comeWith: SsoAttack["comeWith"]
let mustCreateNothing: SsoAttack["mustCreateNothing"]
let mustEnter: SsoAttack["mustEnter"]
let mustRefuse: SsoAttack["mustRefuse"]

beforeAll(async () => {
  world = await startSsoWorld()
  ;({ comeWith, mustCreateNothing, mustEnter, mustRefuse } = ssoAttack(world))
  hostile = await startHostileProvider()
  second = await startHostileProvider()
  forged = await world.addProvider({ issuer: hostile.issuer, ca_certificate: hostile.ca, mappings: readers })
})
afterAll(async () => {
  await world.web.stop()
  await Promise.all([hostile.stop(), second.stop()])
})

securityRow("S28", "whose account it is", async (row) => {
  await row.assert("same mail as a local account with a password or MFA → no silent link", async () => {
    await world.web.addUser("boss@example.org", "admin")
    const entered = await mustEnter(
      await comeWith(forged, hostile, ({ claims, sign }) =>
        sign({
          ...claims,
          sub: "attacker",
          preferred_username: "boss@example.org",
          email: "boss@example.org",
          email_verified: true
        })
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
    const named =
      (name: string) =>
      ({ claims, sign }: Forge) =>
        sign({ ...claims, sub: "same", preferred_username: name })
    const one = await mustEnter(await comeWith(forged, hostile, named("one")))
    const two = await mustEnter(await comeWith(again, second, named("one")))
    expect([one.username, two.username]).toEqual(["one", "one-2"])
  })
  await row.assert("user key = (`iss`, `tid`, `oid` or `sub`), never mail or UPN", async () => {
    const as =
      (sub: string, name: string) =>
      ({ claims, sign }: Forge) =>
        sign({ ...claims, sub, preferred_username: name, email: "shared@example.org", upn: "shared@example.org" })
    const before = await mustEnter(await comeWith(forged, hostile, as("subject-a", "maria")))
    const renamed = await mustEnter(await comeWith(forged, hostile, as("subject-a", "maria.new")))
    const successor = await mustEnter(await comeWith(forged, hostile, as("subject-b", "maria")))
    expect([before.username, renamed.username, successor.username]).toEqual(["maria", "maria", "maria-2"])
  })
  await row.assert(
    "in a tenant the `oid` counts, and only with that tenant; elsewhere nobody's `oid` does",
    async () => {
      const [first, other] = ["8f2c1a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b", "9a3d2b45-6c7e-4f80-9bac-1d2e3f4a5b6c"]
      const of = (tenant_id: string) =>
        world.addProvider({ issuer: hostile.issuer, ca_certificate: hostile.ca, mappings: readers, tenant_id })
      const [ofFirst, ofOther] = [await of(first), await of(other)]
      const entered = async (at: Provider, change: object) => {
        const come = ({ claims, sign }: Forge) => sign({ ...claims, preferred_username: "paul", ...change })
        return (await mustEnter(await comeWith(at, hostile, come))).username
      }
      expect(await entered(ofFirst, { tid: first, oid: "o-1", sub: "s-1" })).toBe("paul")
      expect(await entered(ofFirst, { tid: first, oid: "o-1", sub: "s-2" })).toBe("paul")
      expect(await entered(ofFirst, { tid: first, oid: "o-2", sub: "s-1" })).toBe("paul-2")
      expect(await entered(ofOther, { tid: other, oid: "o-1", sub: "s-1" })).toBe("paul-3")
      expect(await entered(forged, { tid: first, oid: "o-1", sub: "s-3" })).toBe("paul-4")
      expect(await entered(forged, { tid: first, oid: "o-1", sub: "s-4" })).toBe("paul-5")
    }
  )
  row.missing(
    "link only from a logged-in, re-authenticated session",
    "linking an existing account is not offered at all"
  )
})

securityRow("S29", "who gets which role", async (row) => {
  const claim =
    (change: object) =>
    ({ claims, sign }: Forge) =>
      sign({ ...without(claims, "groups"), sub: "grouped", ...change })
  await row.assert("group claims missing → no role, so no way in", () =>
    mustCreateNothing(async () => mustRefuse(await comeWith(forged, hostile, claim({})), "groups_missing"))
  )
  await row.assert("over the limit (overage)", () =>
    mustCreateNothing(async () => {
      const overage = {
        _claim_names: { groups: "src1" },
        _claim_sources: { src1: { endpoint: `${hostile.issuer}/groups` } }
      }
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
    const admins = "update users set disabled_at = $1 where role = 'admin'"
    await world.web.rows("alter table users disable trigger keep_an_administrator")
    await world.web.rows(admins, [new Date()])
    try {
      const newcomer = await mustEnter(await comeWith(forged, hostile, claim({ sub: "newcomer", groups: ["readers"] })))
      expect(newcomer.role).toBe("auditor")
    } finally {
      await world.web.rows(admins, [null])
      await world.web.rows("alter table users enable trigger keep_an_administrator")
    }
  })
  await row.assert("the last administrator is not demoted by the provider", async () => {
    const admins = [{ provider_group: "admins", role: "admin", group_ids: [] }, ...readers]
    const boss = await world.addProvider({ issuer: hostile.issuer, ca_certificate: hostile.ca, mappings: admins })
    const only =
      (groups: ReadonlyArray<string>) =>
      ({ claims, sign }: Forge) =>
        sign({ ...claims, sub: "only", groups })
    expect((await mustEnter(await comeWith(boss, hostile, only(["admins"])))).role).toBe("admin")
    await world.web.rows("alter table users disable trigger keep_an_administrator")
    const others = "role = 'admin' and id not in (select user_id from external_identities where subject = 'sub:only')"
    await world.web.rows(`update users set disabled_at = now() where ${others}`)
    await world.web.rows("alter table users enable trigger keep_an_administrator")
    mustRefuse(await comeWith(boss, hostile, only(["readers"])), "last_administrator")
    await world.web.rows(`update users set disabled_at = null where ${others}`)
  })
})
