/** What plans and the dispatcher read about hosts: holds, services and the hosts of a group. */
import { afterAll, beforeAll, expect, it } from "vitest"
import { Effect, type Exit } from "effect"
import { SqlClient } from "effect/sql"
import type { NewHold } from "#core/Hold.ts"
import { isHeld } from "#core/Hold.ts"
import { GroupId, HostId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import type { Principal } from "#core/User.ts"
import { changeGroupHosts } from "#sql/groupMembers.ts"
import { insertGroup, readGroupHosts } from "#sql/GroupStore.ts"
import { endHold, insertHold, readActiveHolds } from "#sql/HoldStore.ts"
import { insertHost } from "#sql/HostStore.ts"
import { readServiceChecks, replaceGroupServiceChecks, replaceHostServiceChecks } from "#sql/ServiceCheckStore.ts"
import { startTestStores, type TestStores } from "./testStores.ts"

let stores: TestStores
let web: HostId
let db: HostId
let lone: HostId
let group: GroupId
const run: TestStores["run"] = (effect) => stores.run(effect)

const host = async (n: number) =>
  (
    await run(
      insertHost(stores.caller, {
        fqdn: null,
        address: `127.0.3.${n}`,
        agent_port: 1,
        display_name: `h${n}`,
        bound_fingerprint: null
      })
    )
  ).answer.id
const hold = async (target: NewHold["target"], pattern: string) =>
  (await run(insertHold(stores.caller, { target, pattern, reason: pattern }))).answer.id

beforeAll(async () => {
  // One connection, as everything has to do with one.
  stores = await startTestStores(1)
  ;[web, db, lone] = [await host(1), await host(2), await host(3)]
  group = (await run(insertGroup(stores.caller, { name: "g" }))).answer.id
  await run(changeGroupHosts(stores.caller, group, "add", [web, db]))
})
afterAll(() => stores.stop())

const operator = (...group_ids: ReadonlyArray<GroupId>): Principal => ({
  ...stores.caller.principal,
  role: "operator",
  group_ids
})

it("reads the holds that bind each host now, by the database's clock", async () => {
  const onHost = await hold({ kind: "host", host_id: web }, "curl")
  const onGroup = await hold({ kind: "group", group_id: group }, "nginx*")
  const onAll = await hold({ kind: "all" }, "*-dev")
  const over = await hold({ kind: "host", host_id: lone }, "over")
  await stores.rows("update holds set until_at = now() - interval '1 second' where id = $1", [over])
  const ended = await hold({ kind: "host", host_id: lone }, "ended")
  await run(endHold(stores.caller, ended))
  const found = await run(readActiveHolds([web, db, lone]))
  const patterns = (id: HostId) => found.get(id)?.map((one) => one.pattern)
  expect([patterns(web), patterns(db), patterns(lone)]).toEqual([
    ["curl", "nginx*", "*-dev"],
    ["nginx*", "*-dev"],
    ["*-dev"]
  ])
  expect(found.get(web)?.[0]).toEqual({ hold_id: onHost, pattern: "curl", reason: "curl", until_ms: null })
  expect(isHeld(found.get(db) ?? [], "nginx-core", Date.now())?.hold_id).toBe(onGroup)
  expect(isHeld(found.get(lone) ?? [], "nginx-core", Date.now())).toBeUndefined()
  await stores.rows("update holds set until_at = '2099-01-01T00:00:00.5Z' where id = $1", [onAll])
  expect((await run(readActiveHolds([lone]))).get(lone)?.[0]?.until_ms).toBe(Date.parse("2099-01-01T00:00:00.5Z"))
  await run(endHold(stores.caller, onAll))
  expect((await run(readActiveHolds([lone]))).has(lone)).toBe(false)
  expect((await run(readActiveHolds([]))).size).toBe(0)
})

it("lets a group's hold go with a host that leaves it", async () => {
  await run(changeGroupHosts(stores.caller, group, "remove", [db]))
  expect((await run(readActiveHolds([db]))).has(db)).toBe(false)
  await run(changeGroupHosts(stores.caller, group, "add", [db]))
  expect((await run(readActiveHolds([db]))).get(db)).toHaveLength(1)
})

it("never turns a group's hold into one on all hosts", async () => {
  const id = (await run(insertGroup(stores.caller, { name: "short-lived" }))).answer.id
  await hold({ kind: "group", group_id: id }, "vanishing")
  await stores.rows("delete from groups where id = $1", [id])
  expect(await stores.rows("select 1 from holds where pattern = 'vanishing'")).toEqual([])
  await expect(
    stores.rows(
      "insert into holds (id, target, pattern, reason, created_by) values (gen_random_uuid(), 'group', 'x', 'x', 'x')"
    )
  ).rejects.toThrow("holds_target")
})

it("reads each host's services: its own, else its groups' together", async () => {
  const second = (await run(insertGroup(stores.caller, { name: "second" }))).answer.id
  await run(changeGroupHosts(stores.caller, second, "add", [db]))
  await run(replaceGroupServiceChecks(stores.caller, group, ["nginx.service", "cron"]))
  await run(replaceGroupServiceChecks(stores.caller, second, ["postgresql", "cron"]))
  await run(replaceHostServiceChecks(stores.caller, web, ["haproxy", "cron"]))
  const found = await run(readServiceChecks([web, db, lone]))
  expect(Object.fromEntries(found)).toEqual({ [web]: ["haproxy", "cron"], [db]: ["cron", "nginx", "postgresql"] })
  expect((await run(readServiceChecks([]))).size).toBe(0)
})

it("lets only the first of two changes at once through that together would be too many services", async () => {
  const wide = await startTestStores(4)
  try {
    const [a, b] = [
      (await wide.run(insertGroup(wide.caller, { name: "a" }))).answer.id,
      (await wide.run(insertGroup(wide.caller, { name: "b" }))).answer.id
    ]
    const registration = { fqdn: null, address: "127.0.4.1", agent_port: 1, display_name: "h", bound_fingerprint: null }
    const { answer } = await wide.run(insertHost(wide.caller, registration, [a, b]))
    expect(answer.groups).toHaveLength(2)
    let second: Promise<Exit.Exit<unknown, unknown>> | undefined
    /** The second change stands in the queue behind the first, which is not committed yet. */
    const secondWaits = async (): Promise<void> => {
      second = wide.run(Effect.exit(replaceGroupServiceChecks(wide.caller, b, ["b1", "b2", "b3"])))
      await expect
        .poll(() =>
          wide.rows("select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()")
        )
        .toHaveLength(1)
    }
    await wide.run(
      Effect.flatMap(SqlClient.SqlClient, (sql) =>
        sql.withTransaction(
          Effect.andThen(replaceGroupServiceChecks(wide.caller, a, ["a1", "a2", "a3"]), Effect.promise(secondWaits))
        )
      )
    )
    expect((await second)?._tag).toBe("Failure")
  } finally {
    await wide.stop()
  }
})

it("reads a group's hosts that are not removed, for whoever may see the group", async () => {
  expect(await run(readGroupHosts(stores.caller.principal, group))).toEqual([web, db])
  expect(await run(readGroupHosts(operator(group), group))).toEqual([web, db])
  await stores.rows("update hosts set removed_at = now() where id = $1", [db])
  expect(await run(readGroupHosts(operator(group), group))).toEqual([web])
  for (const [who, id] of [
    [operator(), group],
    [operator(group), newId(GroupId)],
    [stores.caller.principal, newId(GroupId)]
  ] as const) {
    expect(await run(Effect.flip(readGroupHosts(who, id)))).toMatchObject({ code: "group_not_found" })
  }
})
