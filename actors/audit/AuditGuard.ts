/** Guards the audit log from the worker: checkpoints, verification when due or asked for, and rows for refused sign-ins. */
import { Context, Effect, Layer, Queue, Schedule } from "effect"
import type { Checkpoint } from "#core/audit/Checkpoint.ts"
import type { SettingValues } from "#core/Settings.ts"
import { ownRoleRulesTheLog, writeWatch } from "#sql/AuditCheckpointStore.ts"
import { clearAlarm, raiseAlarm } from "#sql/AlarmStore.ts"
import { flushSignInFailures } from "#sql/AuditStore.ts"
import { claimVerification, insertOwnVerification, isVerificationDue } from "#sql/AuditVerificationStore.ts"
import { loadAuditKey } from "./AuditKey.ts"
import { makeCheckpointer } from "./Checkpointer.ts"
import { judgeIndependence } from "./independence.ts"
import { runVerification } from "./runVerification.ts"
import { sendToSyslog } from "./syslog.ts"

const CHECKPOINT_ALARM = "audit_checkpoints"
const LOOK_EVERY = "1 second"
const WATCH_EVERY = "20 seconds"
const FLUSH_EVERY = "10 seconds"
const VERIFY_LOOK_EVERY = "5 seconds"

export interface AuditGuardOptions {
  readonly secretsDir: string
  readonly outsideFile: string
  readonly databaseUrl: string
}

const warn = (what: string) => (error: unknown) => Effect.logWarning(what, error)

const make = ({ databaseUrl, outsideFile, secretsDir }: AuditGuardOptions) =>
  Effect.gen(function* () {
    const bell = yield* Queue.sliding<void>(1)

    /** Says once what keeps checkpoints from being made, also on every page, and takes it back when they are made again. */
    let told: string | null = null
    const tell = Effect.fnUntraced(function* (trouble: string | null) {
      if (trouble === told) return
      told = trouble
      if (trouble === null) return yield* clearAlarm(CHECKPOINT_ALARM)
      yield* Effect.logError(trouble)
      yield* raiseAlarm(CHECKPOINT_ALARM, trouble)
    })

    const begin = Effect.fnUntraced(function* (current: Effect.Effect<SettingValues>) {
      const key = yield* loadAuditKey(secretsDir)
      const { independent, reason } = judgeIndependence(databaseUrl, yield* ownRoleRulesTheLog)
      let size = 0
      let syslogFailure: string | null = null
      const watch = Effect.fnUntraced(function* (syslogSent: boolean) {
        const { audit_syslog_target: syslogTarget } = yield* current
        if (syslogTarget === "") syslogFailure = null
        yield* writeWatch({
          outsideFile,
          outsideSize: size,
          independent,
          reason,
          syslogTarget,
          syslogFailure,
          syslogSent
        })
      })
      const send = Effect.fnUntraced(function* (point: Checkpoint) {
        const { audit_syslog_target: target } = yield* current
        if (target === "") return
        const failure = yield* sendToSyslog(target, point).pipe(
          Effect.as(null),
          Effect.catch((error) => Effect.as(Effect.logWarning(error.message), error.message))
        )
        syslogFailure = failure
        yield* watch(failure === null)
      })
      const sending = yield* Queue.sliding<Checkpoint>(100)
      const made = (point: Checkpoint) =>
        Effect.gen(function* () {
          size = point.size
          // To the journal: the third place, beside the file and the database.
          yield* Effect.logInfo(`audit checkpoint ${JSON.stringify(point)}`)
          yield* Queue.offer(sending, point)
        })
      const checkpointer = yield* makeCheckpointer({ key, outsideFile, made })
      size = (yield* checkpointer.last)?.size ?? 0

      yield* Queue.take(sending).pipe(
        Effect.flatMap(send),
        Effect.catch(warn("A checkpoint could not be sent to the log server")),
        Effect.forever,
        Effect.forkScoped
      )
      const regularly = <A, E, R>(
        what: string,
        every: Parameters<typeof Schedule.spaced>[0],
        effect: Effect.Effect<A, E, R>
      ) =>
        effect.pipe(
          Effect.catch(warn(what)),
          Effect.catchDefect(warn(what)),
          Effect.repeat(Schedule.spaced(every)),
          Effect.forkScoped
        )
      yield* checkpointer.look.pipe(
        Effect.andThen(tell(null)),
        Effect.catchTag("OutsideFileError", (error) => tell(error.message)),
        Effect.catch(warn("No checkpoint of the audit log could be made; tried again")),
        Effect.catchDefect(warn("No checkpoint of the audit log could be made; tried again")),
        Effect.repeat(Schedule.spaced(LOOK_EVERY)),
        Effect.forkScoped
      )
      yield* regularly("The state of the audit log could not be written; tried again", WATCH_EVERY, watch(false))
      yield* regularly("Refused sign-ins could not be added up; tried again", FLUSH_EVERY, flushSignInFailures)

      const verify = Effect.gen(function* () {
        const { audit_verify_interval_hours } = yield* current
        if (yield* isVerificationDue(audit_verify_interval_hours))
          yield* insertOwnVerification("the manager, as it was due")
        const run = yield* claimVerification
        if (run === null) return
        const result = yield* runVerification(run, { outsideFile, trusted: key.trusted })
        if (result === null) return
        for (const { message } of result.findings.slice(0, 20)) yield* Effect.logError(`Audit log: ${message}`)
        for (const notice of result.notices) yield* Effect.logWarning(`Audit log: ${notice}`)
        yield* Effect.logInfo(`Verification of the audit log ${result.state}`)
      })
      yield* verify.pipe(
        Effect.catch(warn("The audit log could not be verified; tried again")),
        Effect.catchDefect(warn("The audit log could not be verified; tried again")),
        Effect.andThen(Effect.timeoutOption(Queue.take(bell), VERIFY_LOOK_EVERY)),
        Effect.forever,
        Effect.forkScoped
      )
    })

    /** A key or a file that cannot be used is said and tried again; it never keeps the worker from its work. */
    const start = (current: Effect.Effect<SettingValues>) =>
      begin(current).pipe(
        Effect.tapError((error) => (error._tag === "SqlError" ? Effect.void : tell(error.message))),
        Effect.retry(Schedule.spaced("1 minute")),
        Effect.catch(warn("The audit log is not guarded")),
        Effect.annotateLogs({ module: "audit" }),
        Effect.forkScoped
      )

    return { start, wake: Effect.asVoid(Queue.offer(bell, undefined)) }
  })

export class AuditGuard extends Context.Service<AuditGuard, Effect.Success<ReturnType<typeof make>>>()(
  "patch-manager/audit/AuditGuard"
) {
  static readonly layer = (options: AuditGuardOptions) => Layer.effect(AuditGuard, make(options))
}
