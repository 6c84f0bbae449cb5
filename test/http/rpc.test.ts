import { afterAll, beforeAll, expect, it } from "vitest"
import { startTestWeb, type TestWeb } from "./TestWeb.ts"

let web: TestWeb
let token: string
let auditor: string
let host: string
beforeAll(async () => {
  web = await startTestWeb()
  await web.addUser("admin", "admin")
  await web.addUser("reader", "auditor")
  token = await web.tokenFor("admin")
  auditor = await web.tokenFor("reader")
  host = await web.addHost(token, { address: "127.0.3.1", display_name: "rpc-1" })
})
afterAll(() => web.stop())

interface Frame {
  readonly _tag: string
  readonly exit?: { readonly _tag: string; readonly value?: unknown; readonly cause?: unknown }
  readonly values?: ReadonlyArray<unknown>
}

const rpc = async (tag: string, payload: unknown, bearer = token) => {
  const answer = await web.call("POST", "/rpc", {
    token: bearer,
    raw: `${JSON.stringify({ _tag: "Request", id: "1", tag, payload, headers: [] })}\n`,
    headers: { "content-type": "application/ndjson" }
  })
  const frames = answer.text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Frame)
  return { answer, frames, exit: frames.find((frame) => frame._tag === "Exit")?.exit }
}

it("lists hosts and reads one", async () => {
  const { exit, answer } = await rpc("ListHosts", { q: "rpc" })
  expect(answer.headers["x-request-id"]).toBeTypeOf("string")
  expect(exit).toMatchObject({ _tag: "Success", value: { total: 1, items: [{ id: host, display_name: "rpc-1" }] } })
  expect((await rpc("GetHost", { id: host })).exit).toMatchObject({ _tag: "Success", value: { id: host } })
})

it("answers with its typed errors", async () => {
  const { exit } = await rpc("GetHost", { id: "01a200e4-e652-72f9-b45c-117b1e318cc9" })
  expect(exit?._tag).toBe("Failure")
  expect(JSON.stringify(exit)).toContain('"host_not_found"')
})

it("makes a job once per key, audited with the request's own id and address", async () => {
  const payload = { idempotency_key: "rpc", job: { kind: "patch_apply", host_ids: [host], selection: { kind: "all" } } }
  const first = await rpc("CreateJob", payload)
  const second = await rpc("CreateJob", payload)
  expect(first.exit).toMatchObject({ _tag: "Success", value: { number: 1 } })
  expect(second.exit).toEqual(first.exit)
  const rows = await web.rows("select request_id, source_address from audit_log where action = 'job.create'")
  expect(rows).toEqual([{ request_id: first.answer.headers["x-request-id"], source_address: "127.0.0.1" }])
})

it("plans, pauses, resumes and cancels a job, and says why a host is not patched", async () => {
  const job = { kind: "reboot", host_ids: [host] }
  const plan = await rpc("PlanJob", { job }, auditor)
  expect(plan.exit).toMatchObject({
    _tag: "Success",
    value: { hosts_total: 1, hosts: [{ waits_for: { code: "no_window" } }] }
  })
  const made = await rpc("CreateJob", {
    idempotency_key: "planned",
    job: { ...job, plan_hash: Object(plan.exit?.value).hash }
  })
  const id = String(Object(made.exit?.value).id)
  for (const tag of ["PauseJob", "ResumeJob", "CancelJob"])
    expect([tag, (await rpc(tag, { id })).exit?._tag]).toEqual([tag, "Success"])
  expect(JSON.stringify((await rpc("PauseJob", { id }, auditor)).exit)).toContain('"Forbidden"')
  expect((await rpc("HostReasons", { id: host })).exit).toMatchObject({
    _tag: "Success",
    value: { host: { code: "no_window" } }
  })
})

it("watches a job until it ends", async () => {
  const { exit } = await rpc("CreateJob", { idempotency_key: "watch", job: { kind: "reboot", host_ids: [host] } })
  const id = String(Object(exit?.value).id)
  const watching = rpc("WatchJob", { id })
  await web.rows("update patch_jobs set state = 'cancelled', finished_at = now() where id = $1", [id])
  const { frames } = await watching
  const seen = frames.flatMap((frame) => frame.values ?? []) as ReadonlyArray<{ readonly state: string }>
  expect(seen.at(-1)?.state).toBe("cancelled")
})

it("refuses a role that may not", async () => {
  const { exit } = await rpc("CreateJob", { idempotency_key: "no", job: { kind: "reboot", host_ids: [host] } }, auditor)
  expect(exit?._tag).toBe("Failure")
  expect(JSON.stringify(exit)).toContain('"Forbidden"')
})

it("tells a fault of ours only as the constant words", async () => {
  await web.rows("alter table host_health_data rename to host_health_away")
  const { answer } = await rpc("GetHost", { id: host })
  await web.rows("alter table host_health_away rename to host_health_data")
  expect(answer.text).toContain("The manager failed; its log has the reason.")
  expect(answer.text).not.toMatch(/host_health|relation|PgConnection/)
})

it("ignores what a caller claims about where it comes from", async () => {
  const answer = await web.call("POST", "/rpc", {
    token,
    raw: `${JSON.stringify({
      _tag: "Request",
      id: "1",
      tag: "CreateJob",
      payload: { idempotency_key: "spoof", job: { kind: "reboot", host_ids: [host] } },
      headers: [
        ["x-patch-manager-source", "6.6.6.6"],
        ["authorization", "Bearer x"]
      ]
    })}\n`,
    headers: { "content-type": "application/ndjson", "x-patch-manager-source": "6.6.6.6" }
  })
  const rows = await web.rows<{ source_address: string }>(
    "select source_address from audit_log order by seq desc limit 1"
  )
  expect(rows[0]!.source_address).toBe("127.0.0.1")
  expect(answer.status).toBe(200)
})
