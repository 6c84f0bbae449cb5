import { afterAll, beforeAll, expect, it } from "vitest"
import { startTestWeb, type TestWeb } from "./TestWeb.ts"

let web: TestWeb
beforeAll(async () => {
  web = await startTestWeb()
  await web.addUser("admin", "admin")
})
afterAll(() => web.stop())

it("signs in, registers a host, lists it and makes a job for it", async () => {
  const { token, answer } = await web.signIn("admin")
  expect(answer.status).toBe(200)
  const made = await web.call("POST", "/api/v1/hosts", {
    token,
    body: { address: "127.0.0.9", display_name: "nine" },
    headers: { "idempotency-key": "a" }
  })
  console.log(made.status, made.text)
  const list = await web.call("GET", "/api/v1/hosts", { token })
  console.log(list.status, list.text, list.headers)
  const job = await web.call("POST", "/api/v1/jobs", {
    token,
    body: { kind: "patch_apply", host_ids: [made.json().id], selection: { kind: "all" } },
    headers: { "idempotency-key": "b" }
  })
  console.log(job.status, job.text)
  for (const path of ["/hosts/" + made.json().id, "/hosts/" + made.json().id + "/packages", "/hosts/" + made.json().id + "/patches", "/hosts/" + made.json().id + "/transitions", "/hosts/" + made.json().id + "/jobs", "/jobs", "/jobs/" + job.json().id, "/jobs/" + job.json().id + "/hosts", "/status/fleet", "/auth/me", "/ca/root.crt"]) {
    const a = await web.call("GET", "/api/v1" + path, { token })
    console.log(path, a.status, a.text.slice(0, 1500))
  }
  console.log((await web.call("GET", "/status/health")).text)
})
