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

describe("what a role does not allow", () => {
  const rows = (action: string) =>
    web.rows<{ actor_name: string; object_id: string; after: { needed?: string; recorded_here?: number } }>(
      "select actor_name, object_id, after from audit_log where action = $1 order by seq desc",
      [action]
    )

  it("stands in the log, over REST and RPC, with what was asked for", async () => {
    const patch = { token: tokens.operator, body: { pci_profile: true }, headers: { "if-match": '"0"' } }
    expect((await web.call("PATCH", "/api/v1/settings", patch)).status).toBe(403)
    expect((await rows("access.refused"))[0]).toMatchObject({
      actor_name: "operator",
      object_id: "PATCH /api/v1/settings",
      after: { needed: "settings:change", role: "operator" }
    })
    const call = { _tag: "Request", id: "1", tag: "PauseJob", payload: { id: crypto.randomUUID() }, headers: [] }
    await web.call("POST", "/rpc", {
      token: tokens.auditor,
      raw: `${JSON.stringify(call)}\n`,
      headers: { "content-type": "application/ndjson" }
    })
    expect((await rows("access.refused"))[0]).toMatchObject({ actor_name: "auditor", object_id: "RPC PauseJob" })
  })

  it("does not stand there for what was only asked too late", async () => {
    const before = (await rows("access.refused")).length
    const { token, session } = await web.signIn("admin")
    await web.rows("update sessions set stepped_up_at = now() - interval '6 minutes' where id = $1", [session])
    const body = { username: "olga", display_name: "Olga", role: "auditor", group_ids: [] }
    const answer = await web.call("POST", "/api/v1/users", { token, body, headers: { "idempotency-key": "olga" } })
    expect([answer.status, answer.at("error.code")]).toEqual([403, "reauth_required"])
    expect((await rows("access.refused")).length).toBe(before)
  })

  it("is counted beyond a hundred a minute, and told in one row", async () => {
    const refuse =
      "select audit_refusal('user', 'u', 'u', 'access.refused', 'call', 'x', null, null, 'r', '192.0.2.77')"
    await web.rows(refuse)
    await web.rows(`${refuse} from generate_series(1, 102)`)
    const single = (await rows("access.refused")).filter((row) => row.object_id === "x").length
    await web.rows("update audit_sign_in_minutes set minute = minute - interval '5 minutes'")
    await web.rows("select audit_flush_sign_in_failures()")
    const [many] = await rows("access.refused_many")
    if (single < 103) expect(many?.object_id).toBe("192.0.2.77")
    // Where the minute turned in between, all have rows of their own.
    expect(single + Number(many?.after.recorded_here ?? 0)).toBe(103)
  })
})
