/** Roles on a PostgreSQL of one's own, reached over TCP with passwords, as the runbook has it. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Redacted from "effect/Redacted"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { ConfigValues } from "#deploy/Config.ts"
import { type RunningPostgres, startPostgres } from "#deploy/postgres/startPostgres.ts"
import { prepareRoles } from "#deploy/prepareRoles.ts"
import { testClient } from "#test/setup/testClient.ts"

const address = `127.5.4.${1 + (process.pid % 250)}`
const base = mkdtempSync(join(tmpdir(), "pm-roles-test-"))
let server: RunningPostgres

const urlOf = (role: string, database: string, password = `${role}'s own`): string => {
  const url = new URL(`postgresql://${address}:5432/${database}`)
  url.username = role
  url.password = password
  return url.href
}

const query = async (url: string, text: string): Promise<ReadonlyArray<Record<string, unknown>>> => {
  const client = testClient(url)
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

const refusal = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "",
    (error: Error) => error.message
  )

/** As the runbook makes them: a role and a database of its own. */
const addOwner = async (name: string, rights: string): Promise<void> => {
  await query(server.url, `create role ${name} login ${rights} password '${name}''s own'`)
  await query(server.url, `create database ${name} owner ${name}`)
}

const prepare = (databaseUrl: string, dataDir: string, database: Partial<ConfigValues["database"]> = {}) =>
  prepareRoles({
    dataDir,
    databaseUrl: Redacted.make(databaseUrl),
    database: { singleRole: false, ...database }
  })

beforeAll(async () => {
  chmodSync(base, 0o755)
  const folder = join(base, "cluster")
  mkdirSync(folder)
  const rules = [
    "local all all peer map=pm",
    // A server that lets in the owner alone, whatever roles he makes.
    "host pm_shut pm_shut 127.0.0.0/8 scram-sha-256",
    "host pm_shut all 127.0.0.0/8 reject",
    "host all all 127.0.0.0/8 scram-sha-256"
  ]
  writeFileSync(join(folder, "own_hba.conf"), `${rules.join("\n")}\n`)
  writeFileSync(
    join(folder, "postgresql.custom.conf"),
    `listen_addresses = '${address}'\nhba_file = '${join(folder, "own_hba.conf")}'\n`
  )
  server = await startPostgres({ folder, durability: "throwaway", mayCreateAccount: false })
})
afterAll(async () => {
  await server?.stop()
  rmSync(base, { recursive: true, force: true })
})

const who = (url: string) => query(url, "select current_user::text as name, (select count(*) from hosts)::int as hosts")

describe("an owner that may create roles", () => {
  beforeAll(() => addOwner("pm_owner", "createrole"))
  const owner = urlOf("pm_owner", "pm_owner")

  it("makes two roles that work and may not touch what they must not, and renews their passwords", async () => {
    const first = await prepare(owner, "/srv/one")
    const [web] = await who(first.web)
    const [worker] = await who(first.worker)
    expect([web, worker]).toEqual([
      { name: expect.stringMatching(/^pm_owner_web_[0-9a-f]{8}$/), hosts: 0 },
      { name: expect.stringMatching(/^pm_owner_worker_[0-9a-f]{8}$/), hosts: 0 }
    ])
    for (const url of [first.web, first.worker]) {
      expect(await refusal(query(url, "delete from audit_log"))).toMatch(/permission denied/)
      expect(await refusal(query(url, "create table more (id int)"))).toMatch(/permission denied/)
    }
    expect(await refusal(query(first.worker, "select password_hash from users"))).toMatch(/permission denied/)

    const second = await prepare(owner, "/srv/one")
    expect((await who(second.web))[0]).toEqual(web)
    expect((await who(second.worker))[0]).toEqual(worker)
    expect(await refusal(who(first.web))).toMatch(/password authentication failed/)
  })

  it("leaves the roles of another instance on the same database alone", async () => {
    const one = await prepare(owner, "/srv/one")
    const two = await prepare(owner, "/srv/two")
    expect((await who(two.web))[0]?.["name"]).not.toBe((await who(one.web))[0]?.["name"])
  })
})

it("an owner that may not is told so", async () => {
  await addOwner("pm_plain", "")
  expect(await refusal(prepare(urlOf("pm_plain", "pm_plain"), "/srv/one"))).toMatch(
    /^The database role pm_plain may not create roles, .*alter role pm_plain createrole/
  )
})

it("a server that lets the new roles not in is named", async () => {
  await addOwner("pm_shut", "createrole")
  expect(await refusal(prepare(urlOf("pm_shut", "pm_shut"), "/srv/one"))).toMatch(
    /^The database role pm_shut_web_[0-9a-f]{8} cannot be used: /
  )
})

it("three addresses get their rights from the owner's, and two of one role are refused", async () => {
  await addOwner("pm_three", "")
  for (const role of ["pm_web", "pm_worker"]) {
    await query(server.url, `create role ${role} login password '${role}''s own'`)
  }
  const addresses = (web: string, worker: string) => ({
    ownerUrl: Redacted.make(urlOf("pm_three", "pm_three")),
    webUrl: Redacted.make(urlOf(web, "pm_three")),
    workerUrl: Redacted.make(urlOf(worker, "pm_three"))
  })
  const urls = await prepare(urlOf("pm_three", "pm_three"), "/srv/one", addresses("pm_web", "pm_worker"))
  expect([(await who(urls.web))[0]?.["name"], (await who(urls.worker))[0]?.["name"]]).toEqual(["pm_web", "pm_worker"])
  expect(await refusal(prepare(urlOf("pm_three", "pm_three"), "/srv/one", addresses("pm_web", "pm_web")))).toMatch(
    /three different roles/
  )
})
