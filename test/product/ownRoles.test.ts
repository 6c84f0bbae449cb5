/** The product from end to end as `npm start` runs it: two processes, each with a database role that has only what it needs. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { prepareRoles } from "#deploy/prepareRoles.ts"
import { loadConfig } from "#deploy/Config.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import { startWeb, type Web } from "#test/harness/startWeb.ts"
import { makeWorld, type World } from "#test/harness/World.ts"
import { roleUrls } from "#test/setup/roleUrls.ts"

let world: World
let web: Web
beforeAll(async () => {
  world = await makeWorld({ hosts: [{ profile: "2.7" }, { profile: "2.7" }] })
  web = await startWeb(world, undefined, true)
  await world.startWorker({ ownRole: true })
}, 60_000)
afterAll(async () => {
  await web.stop()
  await world.stop()
})

it("hosts are polled, a job is carried out and everything is in the log", async () => {
  const id = world.hosts[0]!.id
  await until(
    () => web.call<{ pending: number | null }>("GET", `/api/v1/hosts/${id}`),
    (seen) => (seen.pending ?? 0) > 0,
    20_000
  )
  const job = await web.call<{ id: string }>("POST", "/api/v1/jobs", {
    kind: "patch_apply",
    host_ids: [id],
    selection: { kind: "all" },
    when: { kind: "immediate" }
  })
  const { state } = await until(
    () => web.call<{ state: string; finished_at: string | null }>("GET", `/api/v1/jobs/${job.id}`),
    (seen) => seen.finished_at !== null,
    20_000
  )
  expect(state).toBe("succeeded")
  const used = await world.query<{ name: string }>(
    "select distinct usename::text as name from pg_stat_activity where datname = current_database() and application_name like 'patch-manager %' order by 1"
  )
  expect(used.map(({ name }) => name)).toEqual(["patch_manager_web", "patch_manager_worker"])
  const { worker } = await web.call<{ worker: { fresh: boolean; database_roles: string } }>(
    "GET",
    "/api/v1/status/fleet"
  )
  expect(worker).toMatchObject({ fresh: true, database_roles: "separate" })
}, 60_000)

it("a configuration with one role for everything starts only where that is said", async () => {
  // The addresses hold passwords, so each goes through a file.
  const three = (settings: Record<string, string>) => {
    const files = Object.entries(settings).map(([name, text]) => {
      if (!text.startsWith("postgres")) return [name, text]
      const file = join(world.secretsDir, `${name}-${crypto.randomUUID()}`)
      writeFileSync(file, text, { mode: 0o600 })
      return [name, `file:${file}`]
    })
    return loadConfig(Object.fromEntries(files), {}, "/somewhere")
  }
  const { web: webUrl, worker: workerUrl } = roleUrls(world.url)
  const own = { "database.owner_url": world.url, "database.web_url": webUrl, "database.worker_url": workerUrl }
  expect(await prepareRoles(three(own))).toEqual({ web: webUrl, worker: workerUrl })
  await expect(prepareRoles(three({ ...own, "database.worker_url": webUrl }))).rejects.toThrow(/three different roles/)
  await expect(prepareRoles(three({ ...own, "database.web_url": world.url }))).rejects.toThrow(/three different roles/)
  await expect(prepareRoles(three({ "database.owner_url": world.url, "database.web_url": webUrl }))).rejects.toThrow(
    /is missing/
  )
  await expect(prepareRoles(three({ "database.web_url": webUrl, "database.worker_url": workerUrl }))).rejects.toThrow(
    /no owner/
  )
  expect(await prepareRoles(three({ "database.url": world.url, "database.single_role": "true" }))).toEqual({
    web: world.url,
    worker: world.url
  })
  await expect(prepareRoles(three({ "database.single_role": "true" }))).rejects.toThrow(/one address/)
})
