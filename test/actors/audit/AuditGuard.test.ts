import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Logger, Schedule } from "effect"
import { afterAll, beforeAll, expect, it } from "vitest"
import { AuditGuard } from "#actors/audit/AuditGuard.ts"
import { defaultSettings } from "#core/Settings.ts"
import { startTestStores, type TestStores } from "#test/sql/testStores.ts"

let stores: TestStores
let folder: string
beforeAll(async () => {
  stores = await startTestStores()
  folder = mkdtempSync(join(tmpdir(), "pm-guard-"))
})
afterAll(async () => {
  await stores.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** Runs the guard until `holds`, and answers its log. */
const guarded = async (outsideFile: string, holds: () => Promise<boolean>) => {
  const log: Array<string> = []
  const program = Effect.gen(function* () {
    const guard = yield* AuditGuard
    yield* guard.start(Effect.succeed(defaultSettings))
    yield* Effect.promise(holds).pipe(
      Effect.repeat({ until: (done) => done, schedule: Schedule.spaced("50 millis") }),
      Effect.timeout("15 seconds")
    )
  }).pipe(
    Effect.scoped,
    Effect.provide(AuditGuard.layer({ secretsDir: folder, outsideFile, databaseUrl: stores.url })),
    Effect.provide(Logger.layer([Logger.make(({ message }) => void log.push(String(message)))]))
  )
  await stores.run(program)
  return log
}

it("makes a checkpoint and verifies when it starts, and says how independent that is", async () => {
  const file = join(folder, "points.ndjson")
  const log = await guarded(file, async () => {
    const rows = await stores.rows("select 1 from audit_verifications where state = 'passed'")
    const watched = await stores.rows("select 1 from audit_watch where checked_at is not null")
    const points = await stores.rows("select 1 from audit_checkpoints")
    return rows.length > 0 && watched.length > 0 && points.length > 0
  })
  expect(readFileSync(file, "utf8").trim().split("\n")).toHaveLength(1)
  expect(log.find((line) => line.startsWith("audit checkpoint {"))).toContain('"origin"')
  const [watch] = await stores.rows<{ independent: boolean }>("select independent from audit_watch")
  expect(watch?.independent).toBe(false)
})

it("says on every page that the file cannot be written, and goes on", async () => {
  await stores.rows("select audit_append('machine', 't', 't', 'test', 't', 't', null, null, 't', 'local')")
  const blocked = join(folder, "blocked")
  mkdirSync(blocked)
  await guarded(blocked, async () => {
    const alarms = await stores.rows("select 1 from alarms where kind = 'audit_checkpoints' and cleared_at is null")
    return alarms.length > 0
  })
})
