/** The audit log: one million rows verified, and how many rows can be appended when sixteen write at once. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { Effect, ManagedRuntime } from "effect"
import { loadAuditKey } from "#actors/audit/AuditKey.ts"
import { makeCheckpointer } from "#actors/audit/Checkpointer.ts"
import { runVerification } from "#actors/audit/runVerification.ts"
import { withDatabase } from "#deploy/DatabaseUrl.ts"
import { appendAudit } from "#sql/AuditStore.ts"
import { claimVerification, insertOwnVerification } from "#sql/AuditVerificationStore.ts"
import { layer as databaseLayer } from "#sql/Database.ts"
import { migrate } from "#sql/migrate.ts"
import { testClient } from "#test/setup/testClient.ts"
import { percentile, type Report } from "./Goal.ts"

const ROWS = 1_000_000
const WRITERS = 16
const APPEND_SECONDS = 10

/** As `audit_append` writes them, without a transaction for each. */
const fill = (rows: number): string => `
  do $$
  declare e audit_log; previous bytea; start bigint;
  begin
    select seq, row_hash into start, previous from audit_head;
    for n in start + 1 .. start + ${rows} loop
      e := row(n, clock_timestamp(), 'user', '01a200f4-9b9c-7603-9702-92e237399823', 'operator-' || n % 40, 'host.edit', 'host',
        '01a200f4-9b9c-7603-9702-' || lpad(to_hex(n % 4096), 12, '0'), jsonb_build_object('display_name', 'web-' || n % 900),
        jsonb_build_object('display_name', 'web-' || n % 900 || '.example.org', 'port', 12443), 'request-' || n, '192.0.2.' || n % 250,
        previous, ''::bytea);
      e.row_hash := sha256(audit_canonical(e));
      insert into audit_log values (e.*);
      previous := e.row_hash;
    end loop;
    update audit_head set seq = start + ${rows}, row_hash = previous;
  end $$`

/** `serverUrl` is a running PostgreSQL; the database made there is dropped at the end. */
export const auditLog = async (serverUrl: string, scale: number, report: Report): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), "bench-audit-"))
  const name = `bench_audit_${process.pid}`
  const server = testClient(serverUrl)
  await server.connect()
  await server.query(`create database ${name}`)
  const url = withDatabase(serverUrl, name)
  await migrate(url)
  const client = testClient(url)
  await client.connect()
  const runtime = ManagedRuntime.make(databaseLayer({ url, applicationName: "bench audit", maxConnections: WRITERS }))
  try {
    const origin = {
      actor: { kind: "user", id: "bench", name: "bench" },
      request_id: "bench",
      source_address: "127.0.0.1"
    } as const
    const times: Array<number> = []
    const began = performance.now()
    const writer = Effect.gen(function* () {
      for (let n = 0; performance.now() - began < APPEND_SECONDS * 1000 * scale; n += 1) {
        const at = performance.now()
        yield* appendAudit(origin, {
          action: "host.edit",
          object_type: "host",
          object_id: String(n),
          before: { display_name: "a" },
          after: { display_name: "b" }
        })
        times.push(performance.now() - at)
      }
    })
    await runtime.runPromise(
      Effect.all(
        Array.from({ length: WRITERS }, () => writer),
        { concurrency: WRITERS, discard: true }
      )
    )
    const rate = times.length / ((performance.now() - began) / 1000)
    report.figure(`${times.length} rows appended by ${WRITERS} writers, ${rate.toFixed(0)} a second`)
    report.goal({
      name: "audit append, 16 writers, time for one row of 600 a second",
      value: 1000 / rate,
      limit: 1000 / 600,
      unit: "ms"
    })
    report.goal({ name: "audit append, 16 writers, p99", value: percentile(times, 0.99), limit: 150, unit: "ms" })

    const rows = Math.round(ROWS * scale)
    await client.query(fill(rows))
    await client.query("vacuum analyze audit_log")
    const key = await Effect.runPromise(loadAuditKey(folder))
    const outsideFile = join(folder, "points.ndjson")
    const { look } = await runtime.runPromise(makeCheckpointer({ key, outsideFile, made: () => Effect.void }))
    await runtime.runPromise(look)
    await runtime.runPromise(insertOwnVerification("bench"))
    const run = await runtime.runPromise(claimVerification)
    if (run === null) throw new Error("There is no run to carry out.")
    const held = monitorEventLoopDelay({ resolution: 5 })
    held.enable()
    const verifyBegan = performance.now()
    const result = await runtime.runPromise(runVerification(run, { outsideFile, trusted: key.trusted }))
    const seconds = (performance.now() - verifyBegan) / 1000
    held.disable()
    if (result?.state !== "passed") throw new Error(`The log of the bench is not whole: ${JSON.stringify(result)}`)
    report.goal({
      name: `audit verification, ${rows} rows and their checkpoints`,
      value: seconds,
      limit: 5 * scale,
      unit: "s"
    })
    report.goal({
      name: "audit verification, longest hold of the event loop",
      value: held.max / 1e6,
      limit: 50,
      unit: "ms"
    })
  } finally {
    await runtime.dispose()
    await client.end()
    await server.query(`drop database ${name} with (force)`)
    await server.end()
    await rm(folder, { recursive: true, force: true })
  }
}
