import { afterAll, beforeAll, expect, it } from "vitest"
import { startTestWeb, type TestWeb } from "./TestWeb.ts"

let web: TestWeb
let token: string
let hosts: ReadonlyArray<string>
beforeAll(async () => {
  web = await startTestWeb()
  await web.addUser("admin", "admin")
  token = await web.tokenFor("admin")
  hosts = await Promise.all(
    [1, 2, 3].map((n) => web.addHost(token, { address: `127.0.1.${n}`, display_name: `job-${n}` }))
  )
})
afterAll(() => web.stop())

let keys = 0
const create = (body: object, key = `job-${++keys}`) =>
  web.call("POST", "/api/v1/jobs", { token, body, headers: { "idempotency-key": key } })
const apply = (more: object = {}) => ({
  kind: "patch_apply",
  host_ids: hosts,
  selection: { kind: "security" },
  ...more
})

it("is queued with its hosts, told to the worker and the feed, and audited under the token's name", async () => {
  const made = await create(
    apply({ reboot: "if_needed", reboot_delay_seconds: 30, max_concurrency: 2, notes: "tonight" })
  )
  expect(made.status).toBe(201)
  expect(made.json()).toMatchObject({
    state: "queued",
    hosts_total: 3,
    counts: { queued: 3 },
    selection: { kind: "security" },
    reboot: "if_needed",
    reboot_delay_seconds: 30,
    max_concurrency: 2,
    on_busy: "queue",
    notes: "tonight",
    requested_by: "admin"
  })
  const id = made.string("id")
  const rows = await web.call("GET", `/api/v1/jobs/${id}/hosts?limit=2`, { token })
  expect(rows.at("total")).toBe(3)
  expect(rows.at("items.0")).toMatchObject({ job_id: id, state: "queued", ended: false, log: [], outcome: null })
  const rest = await web.call("GET", `/api/v1/jobs/${id}/hosts?limit=2&cursor=${rows.string("next_cursor")}`, { token })
  expect([(rest.at("items") as ReadonlyArray<unknown>).length, rest.at("next_cursor")]).toEqual([1, null])
  const audit = await web.rows(
    "select actor_kind, actor_name, after from audit_log where action = 'job.create' and object_id = $1",
    [id]
  )
  expect(audit[0]).toMatchObject({
    actor_kind: "token",
    actor_name: "admin/test",
    after: { kind: "patch_apply", host_ids: hosts }
  })
  const feed = await web.rows("select topic from change_feed where job_id = $1", [id])
  expect(feed).toEqual([{ topic: "job" }])
})

it("is the same job for the same key, and a conflict for another body under it", async () => {
  const first = await create(apply(), "once")
  const second = await create(apply(), "once")
  expect([second.status, second.json()]).toEqual([201, first.json()])
  const third = await create(apply({ notes: "other" }), "once")
  expect([third.status, third.at("error.code")]).toEqual([422, "idempotency_key_reused"])
})

it.each([
  ["no selection", { kind: "patch_apply" }, "payload.selection"],
  ["no hosts", { host_ids: [] }, "payload.host_ids"],
  [
    "a host twice",
    { host_ids: ["01a200e4-e652-72f9-b45c-117b1e318cc9", "01a200e4-e652-72f9-b45c-117b1e318cc9"] },
    "payload.host_ids"
  ],
  [
    "too many hosts",
    { host_ids: Array.from({ length: 10_001 }, (_, n) => `01a200e4-e652-72f9-b45c-${String(n).padStart(12, "0")}`) },
    "payload.host_ids"
  ],
  [
    "a package name an agent would read as an option",
    { selection: { kind: "packages", names: ["--all"] } },
    "payload.selection.names.0"
  ],
  ["no packages", { selection: { kind: "packages", names: [] } }, "payload.selection.names"],
  [
    "a delay of more than a day",
    { selection: { kind: "all" }, reboot_delay_seconds: 86_401 },
    "payload.reboot_delay_seconds"
  ]
])("is refused with %s", async (_what, more, path) => {
  const answer = await create({ kind: "patch_apply", host_ids: hosts, ...more })
  expect(answer.status).toBe(422)
  const fields = answer.at("error.details.fields") as ReadonlyArray<{ readonly path: string }>
  expect(fields.map((field) => field.path)).toContain(path)
})

it("names hosts that are not there", async () => {
  const nobody = "01a200e4-e652-72f9-b45c-117b1e318cc9"
  const answer = await create(apply({ host_ids: [...hosts, nobody] }))
  expect([answer.status, answer.at("error.details.host_ids")]).toEqual([404, [nobody]])
})

it("refuses busy hosts only when asked to", async () => {
  await web.rows(
    "update patch_job_hosts set state = 'running' where id = (select id from patch_job_hosts where host_id = $1 limit 1)",
    [hosts[0]]
  )
  const refused = await create(apply({ on_busy: "refuse" }))
  expect([refused.status, refused.at("error.code"), refused.at("error.details.host_ids")]).toEqual([
    409,
    "hosts_busy",
    [hosts[0]]
  ])
  expect((await create(apply({ on_busy: "queue" }))).status).toBe(201)
  await web.rows("update patch_job_hosts set state = 'succeeded', ended = true where state = 'running'")
})

it("cancels what waits at once and asks what works to stop", async () => {
  const id = (await create(apply())).string("id")
  await web.rows("update patch_job_hosts set state = 'running' where job_id = $1 and host_id = $2", [id, hosts[1]])
  expect((await web.call("POST", `/api/v1/jobs/${id}/cancel`, { token })).status).toBe(202)
  const job = await web.call("GET", `/api/v1/jobs/${id}`, { token })
  expect(job.at("counts")).toEqual({ cancelled: 2, running: 1 })
  const wishes = await web.rows<{ event: { type: string; by: string; order_id: string } }>(
    "select event from host_requests where host_id = $1 and event->>'type' = 'cancel'",
    [hosts[1]]
  )
  const order = await web.rows<{ id: string }>("select id from patch_job_hosts where job_id = $1 and host_id = $2", [
    id,
    hosts[1]
  ])
  expect(wishes.map((row) => row.event)).toEqual([{ type: "cancel", order_id: order[0]!.id, by: "admin" }])
  await web.rows("update patch_jobs set state = 'cancelled', finished_at = now() where id = $1", [id])
  const again = await web.call("POST", `/api/v1/jobs/${id}/cancel`, { token })
  expect([again.status, again.at("error.code")]).toEqual([409, "job_finished"])
  await web.rows("update patch_job_hosts set state = 'succeeded', ended = true where state = 'running'")
})

it("is listed newest first, by state, page by page", async () => {
  const all = await web.call("GET", "/api/v1/jobs?limit=200", { token })
  const numbers = (all.at("items") as ReadonlyArray<{ readonly number: number }>).map((job) => job.number)
  expect(numbers).toEqual(numbers.toSorted((a, b) => b - a))
  const paged: Array<number> = []
  let cursor: unknown = null
  do {
    const page = await web.call("GET", `/api/v1/jobs?limit=2${cursor === null ? "" : `&cursor=${String(cursor)}`}`, {
      token
    })
    paged.push(...(page.at("items") as ReadonlyArray<{ readonly number: number }>).map((job) => job.number))
    cursor = page.at("next_cursor")
  } while (cursor !== null)
  expect(paged).toEqual(numbers)
  expect((await web.call("GET", "/api/v1/jobs?state=cancelled", { token })).at("total")).toBe(1)
})
