import { afterAll, beforeAll, expect, it } from "vitest"
import { startTestWeb, type TestWeb } from "./TestWeb.ts"

let web: TestWeb
let admin: string
let auditor: string
let operator: string
beforeAll(async () => {
  web = await startTestWeb()
  await web.addUser("admin", "admin")
  await web.addUser("anna", "auditor")
  await web.addUser("olga", "operator")
  admin = (await web.signIn("admin")).token
  auditor = (await web.signIn("anna")).token
  operator = (await web.signIn("olga")).token
})
afterAll(() => web.stop())

const change = (body: unknown, version: number | null, token = admin) =>
  web.call("PATCH", "/api/v1/settings", {
    token,
    body,
    ...(version === null ? {} : { headers: { "if-match": `"${version}"` } })
  })

it("are read by everybody who is signed in, with the defaults", async () => {
  for (const token of [admin, auditor, operator]) {
    const answer = await web.call("GET", "/api/v1/settings", { token })
    expect(answer.json()).toEqual({
      health_interval_seconds: 300,
      patch_interval_seconds: 1800,
      agent_concurrency: 64,
      discovery_networks: [],
      pci_profile: false,
      audit_verify_interval_hours: 24,
      audit_syslog_target: "",
      version: 0
    })
    expect(answer.headers["etag"]).toBe('"0"')
  }
})

it("are changed by administrators alone, in part, with a hint and an audit row of what changed", async () => {
  expect((await change({ agent_concurrency: 8 }, 0, operator)).status).toBe(403)
  expect((await change({ agent_concurrency: 8 }, 0, auditor)).status).toBe(403)
  const done = await change({ agent_concurrency: 8, discovery_networks: ["10.1.0.0/22"] }, 0)
  expect(done.json()).toMatchObject({ agent_concurrency: 8, discovery_networks: ["10.1.0.0/22"], version: 1 })
  const [row] = await web.rows<{ before: unknown; after: unknown }>(
    "select before, after from audit_log where action = 'settings.change' order by seq desc limit 1"
  )
  expect(row).toEqual({
    before: { agent_concurrency: 64, discovery_networks: [] },
    after: { agent_concurrency: 8, discovery_networks: ["10.1.0.0/22"] }
  })
})

it("refuse an edit of what somebody else changed meanwhile, and one without a version", async () => {
  expect((await change({ agent_concurrency: 9 }, 0)).status).toBe(412)
  expect((await change({ agent_concurrency: 9 }, null)).status).toBe(428)
})

it.each([
  [{ agent_concurrency: 0 }, "payload.agent_concurrency"],
  [{ health_interval_seconds: 1 }, "payload.health_interval_seconds"],
  [{ discovery_networks: ["10.1.0.0/33"] }, "payload.discovery_networks.0"],
  [{ discovery_networks: ["everything"] }, "payload.discovery_networks.0"],
  [{ colour: "blue" }, "payload.colour"]
])("refuse %j", async (body, path) => {
  const answer = await change(body, 1)
  expect(answer.status).toBe(422)
  const fields = answer.at("error.details.fields") as ReadonlyArray<{ readonly path: string }>
  expect(fields.map((field) => field.path)).toContain(path)
})
