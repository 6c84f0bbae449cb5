/** A host driven event by event, with the checks that hold after every step. */
import assert from "node:assert/strict"
import { Result } from "effect"
import type { AgentJob } from "#core/AgentJob.ts"
import { type HostCommand, type HostRecord, isCall } from "#core/HostCommand.ts"
import type { Baseline, Evidence, HostEvent, HostFact } from "#core/HostEvent.ts"
import type { WorkState } from "#core/HostState.ts"
import { AgentJobId, IntentId, JobId, OrderId } from "#core/Ids.ts"
import { type Order, orderDefaults, type Outcome } from "#core/Order.ts"
import { machineVersion } from "#machines/hostMachine.ts"
import { expectedTimers, type HostSnapshot, type HostStep, hostStep, placeOf } from "#machines/step.ts"

export const orderId = OrderId.make("01900000-0000-7000-8000-000000000001")
const otherOrderId = OrderId.make("01900000-0000-7000-8000-000000000002")
const jobId = JobId.make("01900000-0000-7000-8000-0000000000ff")
export const agentJob = AgentJobId.make("J1")

type Sent<Event> = Event extends HostFact ? Omit<Event, "at" | "call" | "intent"> : never
export type Fact = Sent<HostFact> & { readonly call?: number; readonly intent?: string }

const start = 1_800_000_000_000

/** Uptime of a host that has not booted since the test began. */
const uptimeAt = (at: number): number => 100_000 + (at - start) / 1000

export type Place = Exclude<WorkState, "retired">

export class Drive {
  at = start
  snapshot: HostSnapshot
  commands: ReadonlyArray<HostCommand> = []
  readonly records: Array<HostRecord> = []
  readonly timers = new Map<string, number>()
  private readonly step: HostStep

  constructor(step: HostStep = hostStep) {
    this.step = step
    this.snapshot = Result.getOrThrow(step.initialStep()).snapshot
  }

  get work(): WorkState {
    return placeOf(this.snapshot).work
  }

  get link(): string {
    return placeOf(this.snapshot).link
  }

  get context() {
    return this.snapshot.context
  }

  get calls(): ReadonlyArray<string> {
    return this.commands.filter(isCall).map(({ kind }) => kind)
  }

  get outcomes(): ReadonlyArray<Outcome> {
    return this.records.flatMap((record) => (record.kind === "Ended" ? [record.outcome] : []))
  }

  get verdicts(): ReadonlyArray<string> {
    return this.outcomes.map(({ verdict }) => verdict)
  }

  get intents(): ReadonlyArray<string> {
    return this.records.flatMap((record) =>
      record.kind === "IntentOpened"
        ? [`opened ${record.action}`]
        : record.kind === "IntentClosed"
          ? [`closed ${record.verdict}`]
          : []
    )
  }

  get alarms(): ReadonlyArray<string> {
    return this.records.flatMap((record) => (record.kind === "Alarm" ? [record.name] : []))
  }

  /** Seconds pass, nothing happens. */
  pass(seconds: number): this {
    this.at += seconds * 1000
    return this
  }

  can(fact: Fact): boolean {
    return this.step.canTake(this.snapshot, this.complete(fact))
  }

  /** Reads answer to the current call and mutating calls to the open intent, unless the fact says otherwise. */
  send(fact: Fact): this {
    return this.take(this.complete(fact))
  }

  /** The deadline of this name runs out, at its time. */
  deadline(delay: string): this {
    const id = [...this.timers.keys()].find((one) => one.startsWith(`xstate.after.${delay}.`))
    assert.ok(id !== undefined, `no deadline ${delay} in ${this.work}, only ${[...this.timers.keys()].join()}`)
    this.at = Math.max(this.at, this.timers.get(id) ?? 0)
    return this.take({ type: id as `xstate.after.${string}`, at: this.at })
  }

  /** As after a crash: only what is stored survives. */
  restart(): this {
    const stored = JSON.parse(JSON.stringify(this.step.persist(this.snapshot))) as { value: unknown; context: unknown }
    this.snapshot = Result.getOrThrow(this.step.restore({ machine_version: machineVersion, ...stored }))
    return this.send({ type: "resumed" })
  }

  order(change: Partial<Order> = {}): this {
    return this.send({ type: "order", order: anOrder(change), by: "operator" })
  }

  anotherOrder(): Fact {
    return { type: "order", order: anOrder({ id: otherOrderId }), by: "operator" }
  }

  cancel(): this {
    return this.send({ type: "cancel", order_id: this.context.order?.id ?? orderId, by: "operator" })
  }

  retire(force: boolean): this {
    return this.send({ type: "retire", force, by: "operator" })
  }

  baseline(change: Partial<Baseline> = {}): this {
    return this.send({ type: "baseline", baseline: { ...readings(this.at), ...aPlan, ...change } })
  }

  accepted(): this {
    return this.send({ type: "accepted", job_id: agentJob })
  }

  job(change: Partial<AgentJob>): this {
    return this.send({ type: "job", job: aJob(change) })
  }

  /** Version "2" is what the plan wants. */
  evidence(version: string, change: Partial<Evidence> = {}): this {
    return this.send({
      type: "evidence",
      evidence: { ...readings(this.at), installed: { openssl: version }, ...change }
    })
  }

  poll(uptime_seconds = uptimeAt(this.at)): this {
    return this.send({ type: "poll.ok", health: "healthy", reason: null, uptime_seconds })
  }

  miss(): this {
    return this.send({ type: "poll.failed", kind: "connect_timeout", message: "" })
  }

  /** Goes the usual way to a place, with an order whose reboot policy is `always` where it is needed. */
  to(place: Place, change: Partial<Order> = {}): this {
    ways[place](this, change)
    assert.equal(this.work, place)
    return this
  }

  private complete(fact: Fact): HostEvent {
    const intent = IntentId.make(fact.intent ?? this.context.intent?.id ?? "none")
    return { call: this.context.seq, ...fact, intent, at: this.at } as HostEvent
  }

  private take(event: HostEvent): this {
    const stepped = Result.getOrThrow(this.step.step(this.snapshot, event))
    this.snapshot = stepped.snapshot
    this.commands = stepped.commands
    this.records.push(...stepped.commands.filter((command): command is HostRecord => !isCall(command)))
    for (const id of stepped.timers.cancelled) this.timers.delete(id)
    for (const { id, delay_ms } of stepped.timers.set) this.timers.set(id, this.at + delay_ms)
    assert.deepEqual([...this.timers.keys()].sort(), [...expectedTimers(this.snapshot)].sort())
    return this
  }
}

export const anOrder = (change: Partial<Order> = {}): Order => ({
  ...orderDefaults,
  id: orderId,
  job_id: jobId,
  kind: "patch_apply",
  selection: { kind: "packages", names: ["openssl"] },
  reboot: "never",
  reboot_delay_seconds: 0,
  closes_at: null,
  ...change
})

export const aJob = (change: Partial<AgentJob>): AgentJob => ({
  id: agentJob,
  operation: "patchapply",
  status: "completed",
  created_at: null,
  progress_percent: 100,
  message: "",
  logs: [],
  error: null,
  error_code: null,
  retryable: false,
  ...change
})

const aPlan = {
  degraded: null,
  job_ids: [AgentJobId.make("J0")],
  changes: [{ name: "openssl", from: "1", to: "2" }],
  installed: { openssl: "1" },
  format: "deb" as const
}

const readings = (at: number) => ({
  at,
  active_job_id: null,
  uptime_seconds: uptimeAt(at),
  database_clean: true,
  reboot_needed: false,
  services: {}
})

const ways: Record<Place, (drive: Drive, change: Partial<Order>) => unknown> = {
  idle: () => {},
  "patching.preparing": (drive, change) => drive.order(change),
  "patching.dispatching": (drive, change) => drive.to("patching.preparing", change).baseline(),
  "patching.running": (drive, change) => drive.to("patching.dispatching", change).accepted(),
  "patching.verifying": (drive, change) => drive.to("patching.running", change).job({}),
  "rebooting.leaving": (drive, change) => drive.to("patching.verifying", { reboot: "always", ...change }).evidence("2"),
  "rebooting.away": (drive, change) => drive.to("rebooting.leaving", change).accepted().miss(),
  "rebooting.returning": (drive, change) => drive.to("rebooting.away", change).pass(60).poll(10),
  "settling.quiet": (drive, change) => drive.to("patching.dispatching", change).send(unclear),
  "settling.asking": (drive, change) => drive.to("settling.quiet", change).deadline("quiet"),
  "settling.inspecting": (drive, change) => drive.to("settling.asking", change).send({ type: "jobs", jobs: [] }),
  retrying: (drive, change) => drive.to("patching.preparing", change).send(unavailable),
  failed: (drive, change) => drive.to("patching.running", change).job({ status: "failed", error: "disk full" }),
  unresolved: (drive, change) => drive.to("settling.quiet", change).deadline("settle")
}

export const unclear: Fact = { type: "unclear", kind: "connection_lost", message: "The connection broke." }

export const unavailable: Fact = {
  type: "unavailable",
  kind: "timed_out",
  message: "No answer.",
  retry_after_ms: null
}

export const unsent: Fact = { type: "unsent", kind: "refused", message: "Nothing listens." }

export const refused = (retryable: boolean, retry_after_ms: number | null = null): Fact => ({
  type: "refused",
  code: "QUEUE_FULL",
  message: "not now",
  retryable,
  retry_after_ms
})
