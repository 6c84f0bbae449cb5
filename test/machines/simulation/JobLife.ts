/**
 * One job's life by seed, with its hosts, its windows, people who pause and cancel, other jobs at its hosts, and a worker that
 * crashes between any two steps. Rows are what survives; they are judged and stepped by the product's own pure functions.
 */
import { isDeepStrictEqual } from "node:util"
import { Result } from "effect"
import { type Judged, judgeOrder } from "#actors/jobs/judgeOrder.ts"
import type { OrderId } from "#core/Ids.ts"
import type { JobCommand } from "#core/JobCommand.ts"
import type { JobCounted, JobEvent } from "#core/JobEvent.ts"
import type { JobHostState } from "#core/JobState.ts"
import { allowedTransitions } from "#machines/allowedTransitions.ts"
import { endingOf } from "#machines/jobEnding.ts"
import { jobMachineVersion } from "#machines/jobMachine.ts"
import { type JobSnapshot, jobStateOf, type JobStep } from "#machines/jobStep.ts"
import { expectedTimers } from "#machines/makeStep.ts"
import type { JobLook, StoredJob } from "#sql/JobSnapshotStore.ts"
import { JobCalendar } from "./JobCalendar.ts"
import { type Chance, chanceOf, hours, minutes, Scheduler, seconds } from "./Scheduler.ts"
import { countsOf, lookAtRows, makeSimulatedJob, type Row, unstarted } from "./simulatedJob.ts"

export interface JobLifeOptions {
  readonly seed: number
  readonly step: JobStep
  /** False: the claim looks at nothing but the order itself, as before there were limits. */
  readonly claimChecks?: boolean
}

export interface JobLifeReport {
  readonly seed: number
  readonly states: ReadonlySet<string>
  readonly taken: ReadonlySet<string>
  readonly reasons: ReadonlySet<string>
  readonly verdicts: ReadonlySet<string>
  readonly crashes: number
  readonly starts: number
  readonly alarms: number
  readonly broken: ReadonlyArray<string>
}

const allowed: ReadonlySet<string> = new Set(
  allowedTransitions()
    .filter(({ machine, version }) => machine === "job" && version === jobMachineVersion)
    .map(({ from, event, to }) => `${from} ${event} ${to}`)
)

const crashShare = 0.02
export class JobLife {
  private readonly options: JobLifeOptions
  private readonly time = new Scheduler()
  private readonly chance: Chance
  private readonly job: StoredJob
  private readonly rows: Array<Row>
  private calendar: JobCalendar
  private snapshot: JobSnapshot
  private version = 0
  private readonly timers = new Map<string, { readonly due: number; readonly armed: number }>()
  private readonly log: Array<JobEvent> = []
  private wishes: { paused_by: string | null; cancel_requested_by: string | null } = {
    paused_by: null,
    cancel_requested_by: null
  }
  /** Written together with the step that decides it. */
  private stopped: string | null = null
  private finished = false
  private up = true
  private process = 1
  private armed = 0
  private offered = new Set<OrderId>()
  private lookPlanned = false
  private readonly states = new Set<string>(["queued"])
  private readonly taken = new Set<string>()
  private readonly reasons = new Set<string>()
  private readonly brokenBy: Array<string> = []
  private crashes = 0
  private starts = 0
  private stops = 0
  private alarms = 0
  private failedAtStop = 0
  private movedAt = 0
  /** A host moved after the job had ended; a look that finds all ended again is what closes it. */
  private reopened = false
  private settling = false
  private wakes = 0

  constructor(options: JobLifeOptions) {
    this.options = options
    this.chance = chanceOf(options.seed)
    const begin = this.time.now
    this.calendar = new JobCalendar(begin, this.chance)
    const { job, rows } = makeSimulatedJob(options.seed, begin, this.chance)
    this.job = job
    this.rows = rows
    const first = Result.getOrThrow(options.step.initialStep())
    this.snapshot = first.snapshot
    for (const { id, delay_ms } of first.timers.set) this.arm(id, delay_ms)
  }

  run(): JobLifeReport {
    if (this.chance() < 0.85) this.hint(seconds(this.chance() * 5))
    if (this.chance() < 0.3) this.time.after(this.soonOrLater(), () => this.pause())
    if (this.chance() < 0.15) this.time.after(this.soonOrLater(), () => this.cancel())
    if (this.chance() < 0.2) this.time.after(hours(this.chance() * 40), () => this.moveWindows())
    for (let events = 0; !this.finished && this.time.next(); events++) {
      if (events > 20_000) {
        this.broken(`goes on and on in ${jobStateOf(this.snapshot)}`)
        break
      }
    }
    if (!this.finished) this.broken(`was left in ${jobStateOf(this.snapshot)}`)
    this.checkEnd()
    return {
      seed: this.options.seed,
      states: this.states,
      taken: this.taken,
      reasons: this.reasons,
      verdicts: new Set(this.rows.map(({ verdict }) => verdict ?? "none")),
      crashes: this.crashes,
      starts: this.starts,
      alarms: this.alarms,
      broken: this.brokenBy
    }
  }

  private broken(what: string): void {
    this.brokenBy.push(what)
  }

  // People ------------------------------------------------------------------------------------------------------------

  private pause(): void {
    if (this.finished) return
    this.wishes = { ...this.wishes, paused_by: "bob" }
    this.hint(this.chance() < 0.1 ? null : 5)
    this.time.after(hours(this.chance() * 30), () => {
      this.wishes = { ...this.wishes, paused_by: null }
      this.hint(this.chance() < 0.1 ? null : 5)
      if (this.chance() < 0.3) this.time.after(hours(this.chance() * 10), () => this.pause())
    })
  }

  private soonOrLater(): number {
    return this.chance() < 0.3 ? 0 : hours(this.chance() * 40)
  }

  /** The product ends what has not started in the same transaction; a manager that was interrupted there has not. */
  private cancel(): void {
    if (this.finished) return
    this.wishes = { ...this.wishes, cancel_requested_by: "bob" }
    if (this.chance() < 0.5)
      for (const row of this.rows) if (!row.ended && unstarted.has(row.state)) this.end(row, "cancelled", "cancelled")
    this.hint(this.chance() < 0.1 ? null : 5)
  }

  private moveWindows(): void {
    this.movedAt = this.time.now
    this.calendar = new JobCalendar(this.time.now, this.chance)
    this.hint(5)
  }

  // The worker --------------------------------------------------------------------------------------------------------

  /** A message that something changed; null where it is lost. */
  private hint(delay: number | null): void {
    if (delay === null || this.lookPlanned) return
    this.lookPlanned = true
    this.time.after(delay, () => {
      this.lookPlanned = false
      this.look()
    })
  }

  /** The one wish to look again at a certain time; a later one replaces it. */
  private wakeAt(at: number): void {
    this.wakes = at
    this.time.after(at - this.time.now, () => {
      if (this.wakes === at) this.hint(0)
    })
  }

  private look(): void {
    if (!this.up || this.finished) return
    const process = this.process
    const alive = (): boolean => this.up && this.process === process && !this.finished
    const look = lookAtRows(this.job, this.rows, this.wishes)
    const at = this.time.now
    const { cancel_asked, paused_by } = this.snapshot.context
    const by = (type: "cancel" | "pause" | "resume"): JobEvent => ({ type, at, by: "bob" })
    if (look.cancel_requested_by !== null && cancel_asked === null) this.deliver(by("cancel"))
    else if (look.cancel_requested_by === null && look.paused_by !== null && paused_by === null)
      this.deliver(by("pause"))
    else if (look.cancel_requested_by === null && look.paused_by === null && paused_by !== null)
      this.deliver(by("resume"))
    if (!alive()) return
    const counted: JobCounted = {
      type: "counts",
      at,
      counts: look.counts,
      unresolved: look.unresolved,
      unhealthy: look.unhealthy,
      max_failed: this.job.max_failed,
      wave: look.wave,
      startable: null,
      next_at: this.snapshot.context.next_at
    }
    if (this.job.max_failed !== null || this.job.has_waves) this.deliver(counted)
    if (!alive()) return
    const { startable, next_at, ended } = this.dispatch(look)
    if (!alive()) return
    if (ended) return this.hint(50)
    this.deliver({ ...counted, startable, next_at })
    if (!alive() || look.wave !== null) return
    this.reopened = false
    if (this.snapshot.hasTag("rest")) this.settleDown()
  }

  private dispatch(look: JobLook) {
    const { job } = this
    const at = this.time.now
    const windows = this.calendar.momentAt(this.time.now)
    let open = look.counts.open + look.counts.uncertain + this.offered.size
    let startable = this.offered.size
    let next_at: number | null = null
    let wake: number | null = null
    let ended = false
    for (const row of this.rows) {
      if (row.ended || !unstarted.has(row.state) || this.offered.has(row.id)) continue
      if (this.chance() < crashShare / 4) {
        this.crash()
        break
      }
      const judged: Judged = judgeOrder(
        at,
        { job, look, skew_ms: 0, stopped_reason: this.snapshot.context.stopped, open },
        {
          order_id: row.id,
          host_id: row.host,
          job_number: 7,
          wave: row.wave,
          state: row.state as "queued",
          deferrals: row.deferrals,
          waits_for: row.waits_for,
          expected_seconds: row.expected_seconds,
          lost: row.lost,
          leaving: row.leaving,
          link: row.unreachable ? "unreachable" : "healthy",
          busy_with: row.busyUntil > at ? 3 : null,
          unresolved: false
        },
        windows
      )
      if (judged.kind === "end") {
        this.end(row, judged.end.state, judged.end.verdict)
        ended = true
      } else if (judged.kind === "wait") {
        this.reasons.add(judged.reason.code)
        Object.assign(row, judged.noted, { id: row.id })
        if (judged.until !== null) wake = Math.min(wake ?? judged.until, judged.until)
        if (judged.until !== null && judged.until > at) next_at = Math.min(next_at ?? judged.until, judged.until)
        if (judged.reason.code === "blocked_by_job") wake = Math.min(wake ?? row.busyUntil, row.busyUntil)
      } else {
        open++
        startable++
        this.offered.add(row.id)
        const process = this.process
        // Somebody changes their mind between the decision and the claim.
        if (this.chance() < 0.02) this.time.after(10, () => (this.chance() < 0.7 ? this.pause() : this.cancel()))
        this.time.after(this.chance() < 0.9 ? 20 : seconds(this.chance() * 3), () =>
          this.claim(row, judged.closes_at, process)
        )
      }
    }
    if (wake !== null) this.wakeAt(Math.max(at, wake) + 5)
    return { startable, next_at, ended }
  }

  /** The commit by which a host takes its order; what it checks is SQL in the product. */
  private claim(row: Row, closes_at: number | null, process: number): void {
    this.offered.delete(row.id)
    if (!this.up || process !== this.process || row.ended || !unstarted.has(row.state)) return
    const { job } = this
    const now = lookAtRows(this.job, this.rows, this.wishes)
    if (this.options.claimChecks !== false) {
      const failed = now.counts.failed + now.unresolved + now.unhealthy
      const free =
        now.paused_by === null &&
        now.cancel_requested_by === null &&
        this.stopped === null &&
        now.counts.open + now.counts.uncertain < job.max_concurrency &&
        (job.max_failed === null || failed <= job.max_failed)
      if (!free) return this.hint(50)
    }
    // The host's own look at the clock, right before its first byte.
    if (closes_at !== null && this.time.now + row.expected_seconds * 1000 > closes_at) return this.giveBack(row)
    this.checkStart(row, now)
    this.starts++
    row.starts++
    row.state = "running"
    row.waits_for = null
    this.hint(50)
    this.time.after(seconds(10 + this.chance() * 600), () => this.finish(row))
  }

  private giveBack(row: Row): void {
    row.deferrals++
    row.state = "deferred"
    const again =
      this.job.carries_over &&
      this.wishes.cancel_requested_by === null &&
      this.stopped === null &&
      (this.job.expires_at === null || this.time.now < this.job.expires_at)
    if (!again) this.end(row, "deferred", "deferred")
    this.hint(50)
  }

  /** How the host's work ends; our own worker sees it whether it is up or not, since rows are written when it is. */
  private finish(row: Row): void {
    if (!this.up) return this.time.after(minutes(1), () => this.finish(row))
    const luck = this.chance()
    if (luck < 0.08 && row.state !== "uncertain") {
      row.state = "uncertain"
      if (this.chance() < 0.5) row.verdict = "unresolved"
      this.time.after(hours(this.chance() * 30), () => this.finish(row))
    } else if (luck < 0.25) {
      this.end(row, "failed", luck < 0.12 ? "no_return" : "failed")
      if (luck < 0.12) this.time.after(hours(this.chance() * 3), () => this.comeBack(row))
    } else {
      this.end(row, "succeeded", "done")
      if (this.chance() < 0.1)
        this.time.after(minutes(this.chance() * 60), () => {
          row.unreachable = true
          this.hint(50)
          this.time.after(hours(1), () => (row.unreachable = false))
        })
    }
    this.hint(this.chance() < 0.05 ? null : 50)
  }

  /** Given up, and then it answers: its order runs again until it is seen to its end. */
  private comeBack(row: Row): void {
    if (this.finished || !this.up) return
    row.state = "rebooting"
    row.ended = false
    this.reopened = true
    this.hint(50)
    this.time.after(minutes(3), () => {
      this.end(row, "succeeded", "done")
      this.hint(50)
    })
  }

  private end(row: Row, state: JobHostState, verdict: string): void {
    if (row.ended) this.broken(`${row.id} ended twice`)
    row.state = state
    row.ended = true
    row.verdict = verdict
    row.waits_for = null
  }

  // The machine -------------------------------------------------------------------------------------------------------

  private deliver(event: JobEvent): void {
    if (!this.up || this.finished || !this.options.step.canTake(this.snapshot, event)) return
    const before = jobStateOf(this.snapshot)
    const stepped = this.options.step.step(this.snapshot, event)
    if (Result.isFailure(stepped)) return this.broken(stepped.failure.message)
    const { snapshot, changed, commands, timers } = stepped.success
    if (!changed) return
    if (this.chance() < crashShare) return this.crash()
    this.snapshot = snapshot
    this.version++
    this.log.push(event)
    for (const id of timers.cancelled) this.timers.delete(id)
    for (const { id, delay_ms } of timers.set) this.arm(id, delay_ms)
    for (const command of commands) this.record(command)
    this.check(before, event)
    if (this.chance() < crashShare) return this.crash()
    if (commands.some(({ kind }) => kind === "CancelOrders" || kind === "OfferOrders") && event.type !== "counts")
      this.hint(5)
    if (snapshot.hasTag("rest") && this.rows.every((row) => row.ended)) this.settleDown()
  }

  /** Nothing is left to do, unless a host comes back late. */
  private settleDown(): void {
    if (this.settling) return
    this.settling = true
    const { version } = this
    this.time.after(hours(5), () => {
      this.settling = false
      if (this.version === version && !this.reopened) this.finished = true
      else {
        this.hint(5)
        this.settleDown()
      }
    })
  }

  private record(command: JobCommand): void {
    if (command.kind === "Alarm") this.alarms++
    if (command.kind !== "Stopped") return
    this.stopped = command.reason
    this.stops++
    this.failedAtStop = command.failed + command.unresolved + command.unhealthy
  }

  private arm(id: string, delay: number): void {
    const timer = { due: this.time.now + delay, armed: ++this.armed }
    this.timers.set(id, timer)
    this.fireAt(id, timer)
  }

  private fireAt(id: string, timer: { readonly due: number; readonly armed: number }): void {
    this.time.after(timer.due - this.time.now, () => {
      if (this.up && this.timers.get(id)?.armed === timer.armed && !this.finished) {
        this.deliver({ type: id as `xstate.after.${string}`, at: this.time.now })
        this.hint(5)
      }
    })
  }

  private crash(): void {
    this.crashes++
    this.process++
    this.up = false
    this.offered = new Set()
    const stored = JSON.parse(JSON.stringify(this.options.step.persist(this.snapshot))) as {
      readonly value: unknown
      readonly context: unknown
    }
    this.time.after(this.chance() < 0.1 ? hours(this.chance() * 30) : seconds(1 + this.chance() * 60), () => {
      const restored = this.options.step.restore({ machine_version: jobMachineVersion, ...stored })
      if (Result.isFailure(restored)) return this.broken(restored.failure.message)
      this.snapshot = restored.success
      this.up = true
      for (const [id, timer] of this.timers) this.fireAt(id, timer)
      if (this.snapshot.hasTag("rest") && !this.reopened) return this.settleDown()
      this.deliver({ type: "resumed", at: this.time.now })
      this.hint(5)
    })
  }

  // What must hold ----------------------------------------------------------------------------------------------------

  private checkStart(row: Row, now: JobLook): void {
    const { job } = this
    const { open, blackout } = this.calendar.momentAt(this.time.now)
    const earlier = this.rows.filter((other) => other.wave < row.wave && !other.ended)
    if (earlier.length > 0) this.broken("a wave started before the one before it had ended")
    if (this.stopped !== null) this.broken("started after the error limit stopped the job")
    if (now.paused_by !== null) this.broken("started while paused")
    if (now.cancel_requested_by !== null) this.broken("started after the cancellation")
    if (now.counts.open + now.counts.uncertain >= job.max_concurrency) this.broken("more hosts at work than allowed")
    if (job.expires_at !== null && this.time.now >= job.expires_at) this.broken("started after it expired")
    if (job.when.kind === "immediate" && blackout !== null && !job.ignore_blackout) this.broken("started in a blackout")
    // A window that is moved in the very moment between the decision and the claim is seen by neither.
    if (job.when.kind !== "immediate" && open === null && this.time.now - this.movedAt > seconds(5))
      this.broken("started outside a window")
    if (row.starts > 0 && row.deferrals === 0) this.broken(`${row.id} was started twice`)
  }

  private check(before: string, event: JobEvent): void {
    const after = jobStateOf(this.snapshot)
    this.states.add(after)
    if (before !== after) {
      const taken = `${before} ${event.type} ${after}`
      this.taken.add(taken)
      if (!allowed.has(taken)) this.broken(`not allowed: ${taken}`)
    }
    const expected = expectedTimers(this.snapshot)
    if (expected.length !== this.timers.size || expected.some((id) => !this.timers.has(id)))
      this.broken(`timers ${[...this.timers.keys()].join()} instead of ${expected.join()} after ${event.type}`)
    if (!this.snapshot.hasTag("rest") && expected.length === 0) this.broken(`no deadline in ${after}`)
    if (this.snapshot.hasTag("rest") && !this.rows.every((row) => row.ended) && event.type === "counts")
      this.broken(`ended as ${after} with a host that had not ended`)
  }

  private checkEnd(): void {
    const { job } = this
    if (this.stops > 1) this.broken("stopped twice")
    if (this.stops === 1 && this.failedAtStop <= (job.max_failed ?? 0)) this.broken("stopped below its limit")
    if (job.max_failed !== null && this.stops === 1) {
      const started = this.rows.filter((row) => row.starts > 0 && row.state !== "succeeded").length
      if (started > this.failedAtStop + job.max_concurrency)
        this.broken(`${started} started, beyond limit and concurrency`)
    }
    if (this.finished) {
      const ending = endingOf(countsOf(this.rows), this.snapshot.context.cancel_asked !== null)
      if (jobStateOf(this.snapshot) !== ending)
        this.broken(`ended as ${jobStateOf(this.snapshot)} instead of ${ending}`)
    }
    let replayed = Result.getOrThrow(this.options.step.initialStep()).snapshot
    for (const event of this.log) replayed = Result.getOrThrow(this.options.step.step(replayed, event)).snapshot
    if (!isDeepStrictEqual(this.options.step.persist(replayed), this.options.step.persist(this.snapshot)))
      this.broken("the replay gives another snapshot")
  }
}
