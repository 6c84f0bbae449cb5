/** The audit log from the command line, for whoever may read the manager's files. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { createWriteStream, readFileSync } from "node:fs"
import { userInfo } from "node:os"
import { parseArgs } from "node:util"
import { auditPublicKeyFile } from "#actors/audit/AuditKey.ts"
import { newRequestId } from "#core/newId.ts"
import { exportAudit } from "#sql/AuditExport.ts"
import { appendAudit, type AuditOrigin } from "#sql/AuditStore.ts"
import { getVerification, requestVerification } from "#sql/AuditVerificationStore.ts"
import { loadConfig } from "../Config.ts"
import { dataFiles } from "../DataDirectory.ts"
import { CommandError } from "./CommandError.ts"
import { inInstance } from "./instanceDatabase.ts"

const parse = (args: ReadonlyArray<string>, names: ReadonlyArray<string>) => {
  try {
    const options = Object.fromEntries([...names, "data-dir"].map((name) => [name, { type: "string" as const }]))
    const { values } = parseArgs({ args: [...args], options })
    const given = (name: string): string | undefined => {
      const value = values[name]
      return typeof value === "string" ? value : undefined
    }
    const folder = given("data-dir")
    return { given, config: loadConfig(folder === undefined ? {} : { data_dir: folder }) }
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split(". ")[0] ?? error.message) : String(error)
    throw new CommandError({ message: `${reason}: patch-manager --help shows what there is.` })
  }
}

const origin = (): AuditOrigin => ({
  actor: { kind: "machine", id: "cli", name: `${userInfo().username} on the command line` },
  request_id: newRequestId(),
  source_address: "local"
})

/** `audit export`: to standard output unless `--out` names a file. */
export const auditExport = async (args: ReadonlyArray<string>): Promise<void> => {
  const { config, given } = parse(args, ["from", "to", "out"])
  const period = { from: given("from"), to: given("to") }
  for (const moment of [period.from, period.to]) {
    if (moment !== undefined && Number.isNaN(Date.parse(moment))) {
      throw new CommandError({ message: `"${moment}" is no time: write 2026-11-22 or 2026-11-22T08:00:00Z.` })
    }
  }
  const out = given("out")
  const sink = out === undefined ? process.stdout : createWriteStream(out, { mode: 0o600 })
  const write = (text: string) =>
    Effect.callback<void, CommandError>((resume) => {
      sink.write(text, (error) =>
        resume(
          error
            ? Effect.fail(new CommandError({ message: `The export could not be written: ${error.message}` }))
            : Effect.void
        )
      )
    })
  const recorded = appendAudit(origin(), {
    action: "audit.export",
    object_type: "audit_log",
    object_id: "audit_log",
    before: null,
    after: period.from === undefined && period.to === undefined ? null : period
  })
  await inInstance(config, Effect.andThen(recorded, Stream.runForEach(exportAudit(period), write)))
  if (sink !== process.stdout) await new Promise<void>((resolve) => void sink.end(() => resolve()))
}

/** `audit key`: the public keys, for whoever verifies an export elsewhere. */
export const auditKey = async (args: ReadonlyArray<string>): Promise<void> => {
  const { config } = parse(args, [])
  const file = auditPublicKeyFile(dataFiles(config.dataDir).secrets)
  try {
    process.stdout.write(readFileSync(file, "utf8"))
  } catch (error) {
    throw new CommandError({
      message: `The audit log's public keys cannot be read (${(error as Error).message}): the worker makes them at its first start.`
    })
  }
}

const WAIT = "1 second"
/** Looks without any progress after which there is no worker. */
const PATIENCE = 60

/** `audit verify`: the worker does it; an open run is waited for. Exit code 2 with findings. */
export const auditVerify = async (args: ReadonlyArray<string>): Promise<void> => {
  const { config } = parse(args, [])
  const result = await inInstance(
    config,
    Effect.gen(function* () {
      const { id } = yield* requestVerification(origin())
      let done = -1
      for (let idle = 0; idle < PATIENCE; idle += 1) {
        const run = yield* getVerification(id)
        if (run.finished_at !== null) return run
        if (run.rows_done !== done) idle = 0
        done = run.rows_done
        yield* Effect.sleep(WAIT)
      }
      return yield* Effect.fail(
        new CommandError({
          message: "Nobody verifies: is the worker running? The request stays and is carried out then."
        })
      )
    })
  )
  for (const { first_seq, kind, message } of result.findings) {
    process.stdout.write(`FOUND ${kind} first ${first_seq}: ${message}\n`)
  }
  for (const notice of result.notices) process.stdout.write(`NOTE ${notice}\n`)
  const outcome = result.state === "passed" ? "OK nothing found" : result.state === "failed" ? "FAILED" : "CANCELLED"
  process.stdout.write(`${outcome}: ${result.rows_done} rows, ${result.checkpoints_checked} checkpoints\n`)
  if (result.state !== "passed") process.exitCode = 2
}
