import { appendFileSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { Effect } from "effect"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { auditKeyFile, auditPublicKeyFile, digestOf, isSigned, loadAuditKey } from "#actors/audit/AuditKey.ts"
import { judgeIndependence } from "#actors/audit/independence.ts"
import { runVerification } from "#actors/audit/runVerification.ts"
import { sendToSyslog } from "#actors/audit/syslog.ts"
import { readAuditChunk } from "#sql/AuditChunk.ts"
import { appendSignInFailure, flushSignInFailures } from "#sql/AuditStore.ts"
import { claimVerification, getVerification, insertOwnVerification } from "#sql/AuditVerificationStore.ts"
import { pruneAudit } from "#sql/Retention.ts"
import { type AuditWorld, startAuditWorld } from "./auditWorld.ts"
import { nobody } from "./testStores.ts"

let world: AuditWorld
beforeEach(async () => {
  world = await startAuditWorld()
})
afterEach(() => world.stop())

const lines = (): ReadonlyArray<string> => readFileSync(world.outsideFile, "utf8").trim().split("\n")

describe("checkpoints", () => {
  it("are made after 1,000 rows exactly, in the file, in the database and chained to each other", async () => {
    await world.rows(`select audit_append('machine', 't', 't', 'test', 't', n::text, null, null, 't', 'local')
      from generate_series(1, 2500) n`)
    const { look, sign } = await world.checkpointer()
    await world.run(look)
    expect(world.points.map(({ size }) => size)).toEqual([1000, 2000])
    await world.run(sign(2501))
    expect(world.points.map(({ previous }) => previous)).toEqual([
      "0".repeat(64),
      digestOf(world.points[0]!),
      digestOf(world.points[1]!)
    ])
    expect(lines().map((line) => JSON.parse(line) as unknown)).toEqual(world.points)
    expect(statSync(world.outsideFile).mode & 0o777).toBe(0o600)
    expect(statSync(auditKeyFile(world.folder)).mode & 0o777).toBe(0o600)
    const inside = await world.rows<{ size: string }>("select size from audit_checkpoints order by size")
    expect(inside.map(({ size }) => Number(size))).toEqual([1000, 2000, 2501])
    expect(world.points.every((point) => isSigned(point, world.key.trusted))).toBe(true)
    expect(isSigned({ ...world.points[0]!, size: 999 }, world.key.trusted)).toBe(false)
    await world.append(5)
    await world.run(look)
    expect(world.points).toHaveLength(3)
  })

  it("that the disk has and the database has not, after a crash in between, are written again; and the other way round", async () => {
    await world.append(10)
    await world.checkpoint()
    await world.rows("delete from audit_checkpoints")
    await world.checkpointer()
    expect(await world.rows("select 1 from audit_checkpoints")).toHaveLength(1)
    writeFileSync(world.outsideFile, "")
    await world.checkpointer()
    expect(lines()).toHaveLength(1)
    expect((await world.verify()).state).toBe("passed")
  })

  it("come after half a line of a write that broke off, which is told", async () => {
    await world.append(10)
    await world.checkpoint()
    appendFileSync(world.outsideFile, '{"origin":"half')
    await world.append(10)
    await world.checkpoint()
    expect(lines()).toHaveLength(3)
    const run = await world.verify()
    expect(run.findings.map(({ kind }) => kind)).toContain("checkpoint_altered")
  })

  it("stay verifiable after the key was replaced", async () => {
    await world.append(3)
    await world.checkpoint()
    writeFileSync(auditKeyFile(world.folder), "")
    await expect(Effect.runPromise(loadAuditKey(world.folder))).rejects.toThrow(/Restore it from a backup/)
    rmSync(auditKeyFile(world.folder))
    const renewed = await Effect.runPromise(loadAuditKey(world.folder))
    expect(renewed.keyId).not.toBe(world.key.keyId)
    expect([...renewed.trusted.keys()]).toEqual([world.key.keyId, renewed.keyId])
    expect(isSigned(world.points[0]!, renewed.trusted)).toBe(true)
    expect(readFileSync(auditPublicKeyFile(world.folder), "utf8").match(/BEGIN/g)).toHaveLength(2)
  })

  it("are independent only where another user owns the database", async () => {
    expect(judgeIndependence("postgresql://pm@db.example.org/pm", false).independent).toBe(true)
    expect(judgeIndependence("postgresql://pm@db.example.org/pm", true).reason).toContain("database role")
    expect(judgeIndependence("postgresql://pm@127.0.0.1/pm", false).reason).toContain("loopback")
    expect(judgeIndependence(`postgresql:///pm?host=${world.folder}`, false).reason).toContain("cannot be told")
    writeFileSync(join(world.folder, ".s.PGSQL.5432"), "")
    expect(judgeIndependence(`postgresql:///pm?host=${world.folder}`, false).reason).toContain("same user")
  })

  it("are sent to a log server in the form of RFC 5424, and one that is away is told", async () => {
    await world.append(3)
    await world.checkpoint()
    const [point] = world.points
    const received = new Promise<string>((resolve) => {
      const server = createServer((socket) => {
        let text = ""
        socket.on("data", (chunk) => (text += chunk.toString()))
        socket.on("end", () => {
          socket.end()
          server.close()
          resolve(text)
        })
      }).listen(0, "127.0.0.1", () => {
        const { port } = server.address() as { readonly port: number }
        void Effect.runPromise(sendToSyslog(`tcp://127.0.0.1:${port}`, point!))
      })
    })
    const text = await received
    const [, length, message] = /^(\d+) ([\s\S]*)$/.exec(text) ?? []
    expect(Number(length)).toBe(Buffer.byteLength(message ?? ""))
    expect(message).toMatch(/^<109>1 \S+Z \S+ patch-manager \d+ audit-checkpoint \[checkpoint@32473 origin="/)
    expect(message).toContain(JSON.stringify(point))
    await expect(Effect.runPromise(sendToSyslog("tcp://127.0.0.1:1", point!))).rejects.toThrow(/did not take/)
  })
})

describe("verification", () => {
  it("goes on where the worker before it stood, and stops when it is cancelled", async () => {
    await world.append(10)
    await world.run(insertOwnVerification("test"))
    const run = (await world.run(claimVerification))!
    const chunk = (await world.run(readAuditChunk({ seq: 0, hash: "0".repeat(64) }, 11, [], 5)))!
    expect([chunk.rows, chunk.last.seq, chunk.odd]).toEqual([5, 5, []])
    const [head] = await world.rows<{ hash: string }>("select encode(row_hash, 'hex') as hash from audit_head")
    const progress = {
      head: { seq: 11, hash: head!.hash },
      top: 11,
      anchor: { seq: 0, hash: "0".repeat(64) },
      last: chunk.last,
      rows: 11,
      done: 5,
      odd: [],
      lastGood: 0,
      firstBad: null,
      timeBack: null
    }
    await world.rows("update audit_verifications set progress = $1", [JSON.stringify(progress)])
    const again = (await world.run(claimVerification))!
    expect(again.id).toBe(run.id)
    const needs = { outsideFile: world.outsideFile, trusted: world.key.trusted }
    expect(await world.run(runVerification(again, needs))).toMatchObject({ state: "passed" })
    expect(await world.run(getVerification(run.id))).toMatchObject({ rows_done: 11, rows_total: 11 })

    await world.run(insertOwnVerification("test"))
    const cancelled = (await world.run(claimVerification))!
    await world.rows("update audit_verifications set cancel_requested_at = now() where id = $1", [cancelled.id])
    expect(await world.run(runVerification(cancelled, needs))).toBeNull()
    expect(await world.run(getVerification(cancelled.id))).toMatchObject({ state: "cancelled" })
  })

  it("starts at the anchor after pruning, and says when that is not the checkpoint's", async () => {
    await world.append(9)
    await world.checkpoint()
    await world.append(10)
    await world.checkpoint()
    expect(await world.run(pruneAudit(6))).toBe(0)
    await world.rows("alter table audit_log disable trigger all")
    await world.rows("delete from audit_log where seq <= 10")
    await world.rows("alter table audit_log enable trigger all")
    await world.rows(`update audit_anchor set seq = size, row_hash = c.row_hash, checkpoint_signature = c.signature
      from audit_checkpoints c where c.size = 10`)
    const run = await world.verify()
    expect([run.state, run.rows_total, run.rows_done]).toEqual(["passed", 10, 10])
    expect((await world.offline(await world.exportTo("pruned.ndjson"))).code).toBe(0)
    await world.rows("update audit_anchor set row_hash = sha256('x')")
    const altered = await world.verify()
    expect(altered.findings.map(({ kind }) => kind)).toContain("anchor_altered")
    const alone = await world.offline(await world.exportTo("anchor.ndjson"))
    expect(alone.found.map(({ kind }) => kind)).toContain("anchor_altered")
  })

  it("of a part of the log passes offline as well, and one that breaks off does not", async () => {
    await world.append(20)
    await world.checkpoint()
    const [middle] = await world.rows<{ at: string }>(
      `select to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at from audit_log where seq = 10`
    )
    const later = await world.offline(await world.exportTo("later.ndjson", { from: middle!.at }))
    expect([later.code, later.found, later.text.includes("rows 10 to 21: 12 rows")]).toEqual([0, [], true])
    const earlier = await world.offline(await world.exportTo("earlier.ndjson", { to: middle!.at }))
    expect([earlier.code, earlier.text.includes("rows 1 to 9: 9 rows")]).toEqual([0, true])
    const file = await world.exportTo("half.ndjson")
    writeFileSync(file, readFileSync(file, "utf8").split("\n").slice(0, 10).join("\n"))
    expect((await world.offline(file)).code).toBe(1)
  })

  it("says that a clock was set back, which is no tampering", async () => {
    await world.append(5)
    await world.rows("alter table audit_log disable trigger all")
    await world.rows(`do $$ declare h audit_head; e audit_log; begin
      select * into h from audit_head; select * into e from audit_log where seq = h.seq;
      e.seq := h.seq + 1; e.at := e.at - interval '2 hours'; e.prev_hash := h.row_hash;
      e.row_hash := sha256(audit_canonical(e)); insert into audit_log values (e.*);
      update audit_head set seq = e.seq, row_hash = e.row_hash; end $$`)
    await world.rows("alter table audit_log enable trigger all")
    const run = await world.verify()
    expect([run.state, run.notices]).toEqual([
      "passed",
      ["Row 7 is older than the row before it: the database's clock was set back."]
    ])
  })
})

describe("refused sign-ins", () => {
  it("have a row each up to a hundred a minute from one source, and one row together beyond", async () => {
    const entry = { action: "session.sign_in_failed", object_type: "user", object_id: "-", before: null, after: null }
    const from = (source_address: string) => appendSignInFailure({ ...nobody, source_address }, entry)
    await world.run(
      Effect.all(
        [
          ...Array.from({ length: 340 }, () => from("192.0.2.1")),
          ...Array.from({ length: 20 }, () => from("192.0.2.2"))
        ],
        { concurrency: 8, discard: true }
      )
    )
    await world.rows("update audit_sign_in_minutes set minute = minute - interval '2 minutes'")
    const counts = await world.rows<{ failures: number }>(
      "select sum(failures)::int as failures from audit_sign_in_minutes where source_address = '192.0.2.1'"
    )
    expect(counts[0]?.failures).toBe(340)
    const written = await world.run(flushSignInFailures)
    const rows = await world.rows<{ n: number; more: number }>(
      `select count(*) filter (where action = 'session.sign_in_failed')::int as n,
         coalesce(sum((after->>'recorded_here')::int) filter (where action = 'session.sign_in_failed_many'), 0)::int as more
       from audit_log where source_address = '192.0.2.1'`
    )
    // The minute can turn between two of them: each then has its own hundred.
    expect(rows[0]!.n + rows[0]!.more).toBe(340)
    expect([1, 2]).toContain(written)
    expect(await world.run(flushSignInFailures)).toBe(0)
    const other = await world.rows("select 1 from audit_log where source_address = '192.0.2.2'")
    expect(other).toHaveLength(20)
  })
})
