import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { loadAuditKey } from "#actors/audit/AuditKey.ts"
import { makeCheckpointer } from "#actors/audit/Checkpointer.ts"
import { runVerification } from "#actors/audit/runVerification.ts"
import { claimVerification } from "#sql/AuditVerificationStore.ts"
import { startTestWeb, type TestWeb } from "./TestWeb.ts"

let web: TestWeb
let folder: string
const tokens = { admin: "", operator: "", auditor: "" }

beforeAll(async () => {
  web = await startTestWeb()
  folder = mkdtempSync(join(tmpdir(), "pm-audit-"))
  for (const role of ["admin", "operator", "auditor"] as const) {
    await web.addUser(role, role)
    tokens[role] = (await web.signIn(role)).token
  }
  await web.addHost(tokens.admin, { address: "127.0.0.9", display_name: "web-9" })
})
afterAll(async () => {
  await web.stop()
  rmSync(folder, { recursive: true, force: true })
})

const get = (path: string, token = tokens.auditor) => web.call("GET", `/api/v1/audit${path}`, { token })
const actions = (answer: { readonly at: (path: string) => unknown }) =>
  (answer.at("items") as ReadonlyArray<{ readonly action: string }>).map(({ action }) => action)

/** What the worker does in its own process. */
const workerTurn = async () => {
  const key = await Effect.runPromise(loadAuditKey(folder))
  const outsideFile = join(folder, "points.ndjson")
  const { look } = await web.run(makeCheckpointer({ key, outsideFile, made: () => Effect.void }))
  await web.run(look)
  const run = await web.run(claimVerification)
  if (run !== null) await web.run(runVerification(run, { outsideFile, trusted: key.trusted }))
}

describe("the audit log over REST", () => {
  it("lists rows newest first, in pages, and narrows them", async () => {
    const first = await get("?limit=2")
    expect(first.status).toBe(200)
    expect(first.at("items.1.seq")).toBe(Number(first.at("items.0.seq")) - 1)
    const second = await get(`?limit=2&cursor=${first.string("next_cursor")}`)
    expect(Number(second.at("items.0.seq"))).toBe(Number(first.at("items.1.seq")) - 1)
    const hosts = await get("?action=host.&actor=ADMIN")
    expect(actions(hosts)).toEqual(["host.register"])
    expect(hosts.at("items.0.object_name")).toBe("web-9")
    expect(actions(await get("?object=host&search=127.0.0.9"))).toEqual(["host.register"])
    expect(actions(await get("?object=host/unknown"))).toEqual([])
    expect(actions(await get("?search=100%25"))).toEqual([])
    expect(actions(await get("?to=2020-01-01"))).toEqual([])
    expect((await get("?from=yesterday")).status).toBe(422)
    expect((await get("?cursor=abc")).status).toBe(422)
  })

  it("answers one row, and 404 for one that is not there", async () => {
    const row = await get("/1")
    expect([row.status, row.at("seq"), row.at("prev_hash")]).toEqual([200, 1, "0".repeat(64)])
    expect((await get("/999999")).status).toBe(404)
    expect((await get("/0")).status).toBe(422)
  })

  it("records who looked at it, once a minute", async () => {
    const rows = await web.rows<{ actor_name: string }>("select actor_name from audit_log where action = 'audit.read'")
    expect(rows.map((row) => row.actor_name)).toEqual(["auditor"])
    await web.rows("update audit_reads set recorded_at = now() - interval '61 seconds'")
    await get("?search=secret")
    const later = await web.rows("select after from audit_log where action = 'audit.read' order by seq desc limit 1")
    expect(later).toEqual([{ after: { search: "secret" } }])
  })

  it("is closed to operators", async () => {
    for (const path of ["", "/1", "/status", "/checkpoints", "/verifications", "/export"]) {
      expect((await get(path, tokens.operator)).status).toBe(403)
    }
    const asked = await web.call("POST", "/api/v1/audit/verifications", {
      token: tokens.operator,
      headers: { "idempotency-key": "v" }
    })
    expect(asked.status).toBe(403)
  })

  it("verifies when asked, says how far it is and what it found, and stands in the log itself", async () => {
    const ask = (key: string) =>
      web.call("POST", "/api/v1/audit/verifications", { token: tokens.auditor, headers: { "idempotency-key": key } })
    const asked = await ask("one")
    expect([asked.status, asked.at("state")]).toEqual([201, "queued"])
    expect((await ask("one")).at("id")).toBe(asked.at("id"))
    expect((await ask("two")).status).toBe(409)
    await workerTurn()
    const done = await get(`/verifications/${asked.string("id")}`)
    expect(done.json()).toMatchObject({
      state: "passed",
      findings: [],
      requested_by: "auditor",
      checkpoints_checked: 1
    })
    expect(done.at("rows_done")).toBe(done.at("rows_total"))
    const recorded = await get("?action=audit.verification_passed")
    expect(recorded.at("items.0.object_id")).toBe(asked.at("id"))
    expect((await get("/verifications")).at("total")).toBe(1)
  })

  it("cancels a verification that waits", async () => {
    const asked = await web.call("POST", "/api/v1/audit/verifications", {
      token: tokens.admin,
      headers: { "idempotency-key": "three" }
    })
    const path = `/api/v1/audit/verifications/${asked.string("id")}/cancel`
    expect((await web.call("POST", path, { token: tokens.admin })).status).toBe(202)
    expect((await web.call("POST", path, { token: tokens.admin })).status).toBe(409)
    expect((await get(`/verifications/${asked.string("id")}`)).at("state")).toBe("cancelled")
  })

  it("tells where the log stands, by which checkpoint, and that it is not independent", async () => {
    const status = await get("/status")
    expect(status.json()).toMatchObject({ outside: { independent: false }, pruned_to_seq: 0, keys: [{}] })
    const points = await get("/checkpoints")
    expect(points.at("items.0.size")).toBe(status.at("last_checkpoint.size"))
    expect(points.at("items.0.origin")).toBe(status.at("origin"))
  })

  it("exports lines that end with their count, and says who took them", async () => {
    const answer = await get("/export")
    expect(answer.status).toBe(200)
    expect(answer.headers["content-type"]).toContain("application/x-ndjson")
    const lines = answer.text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string; rows?: number })
    const rows = lines.filter(({ type }) => type === "row")
    expect([lines[0]?.type, lines[1]?.type, lines.at(-1)]).toEqual([
      "header",
      "checkpoint",
      { type: "end", rows: rows.length }
    ])
    expect(answer.text).toContain('"action":"audit.export"')
    const none = await get("/export?to=2020-01-01")
    expect(none.text).toContain('{"type":"end","rows":0}')
  })
})
