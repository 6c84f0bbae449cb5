/** Carries out a machine's calls on the simulated agent: slow, lossy, and without memory over a crash. */
import type { HostCall, HostChangeCall } from "#core/HostCommand.ts"
import type { AgentJob, AgentJobEntry } from "#core/AgentJob.ts"
import type { Baseline, Evidence, HostEvent } from "#core/HostEvent.ts"
import type { AgentJobId } from "#core/Ids.ts"
import { seconds } from "./Scheduler.ts"
import type { Life } from "./Life.ts"
import type { SimulatedJob, Work } from "./SimulatedHost.ts"

type Reading = Extract<HostCall, { kind: "ReadBaseline" | "ReadEvidence" }>

const workOf = (call: Exclude<HostChangeCall, { kind: "Reboot" }>): Work => {
  switch (call.kind) {
    case "Apply":
      return { kind: "apply", names: call.names }
    case "Install":
      return { kind: "install", packages: call.packages }
    case "Update":
      return { kind: "update", name: call.name }
    case "Remove":
      return { kind: "remove", name: call.name }
    case "Rollback":
      return { kind: "rollback", jobId: call.job_id }
  }
}

const entryOf = (job: SimulatedJob): AgentJobEntry => ({
  id: job.id as AgentJobId,
  operation: job.operation,
  status: job.status,
  created_at: null
})

const jobOf = (job: SimulatedJob): AgentJob => ({
  ...entryOf(job),
  progress_percent: 0,
  message: "",
  logs: [],
  error: job.errorCode,
  error_code: job.errorCode,
  retryable: job.retryable
})

export class Interpreter {
  /** Names the one activity that may go on. */
  private seq = 0
  private readonly interruptedAt = new Map<number, number>()

  private readonly life: Life
  private readonly lateness: number

  constructor(life: Life, lateness: number) {
    this.life = life
    this.lateness = lateness
  }

  interruptOthers(seq: number): void {
    if (seq === this.seq) return
    this.interruptedAt.set(this.seq, this.life.time.now)
    this.seq = seq
  }

  run(call: HostCall): void {
    if ("intent" in call) return this.mutate(call)
    if (call.kind === "Watch") return this.standing(call.call, seconds(30), () => this.watch(call.call, call.job_id))
    if (call.kind === "Probe") return this.standing(call.call, seconds(10), () => this.poll())
    if (call.kind === "ReadEvidence" && call.standing)
      return this.standing(call.call, seconds(15), () => this.read(call.call, () => this.evidence(call)))
    if (call.kind === "ReadEvidence") return this.read(call.call, () => this.evidence(call))
    if (call.kind === "ReadBaseline") return this.read(call.call, () => this.baseline(call))
    this.read(call.call, () => ({
      type: "jobs",
      at: this.life.time.now,
      call: call.call,
      jobs: this.life.host.jobs.map(entryOf)
    }))
  }

  poll(): void {
    const { host, time } = this.life
    if (host.reachable && this.life.chance() < 0.98)
      this.tell({
        type: "poll.ok",
        at: time.now,
        health: this.life.chance() < 0.9 ? "healthy" : "degraded",
        reason: null,
        uptime_seconds: host.uptimeSeconds
      })
    else this.tell({ type: "poll.failed", at: time.now, kind: "connect_timeout", message: "" })
  }

  private tell(event: HostEvent): void {
    this.life.deliver({ ...event, at: this.life.time.now })
  }

  /** Delivers to the same process only. */
  private later(delay: number, event: () => HostEvent | undefined): void {
    const { process } = this.life
    this.life.time.after(delay, () => {
      if (this.life.process !== process) return
      const made = event()
      if (made !== undefined) this.tell(made)
    })
  }

  private standing(call: number, every: number, look: () => void): void {
    const { process } = this.life
    const round = (): void => {
      if (this.life.process !== process || this.seq !== call) return
      look()
      this.life.time.after(every, round)
    }
    this.life.time.after(seconds(1), round)
  }

  private watch(call: number, id: AgentJobId): void {
    const { host, time } = this.life
    if (!host.reachable) return
    const job = host.jobs.find((one) => one.id === id)
    this.tell(
      job === undefined
        ? { type: "job.gone", at: time.now, call, job_id: id }
        : { type: "job", at: time.now, call, job: jobOf(job) }
    )
  }

  /** Served half way, answered at the end; an answer may come long after its state was left. */
  private read(call: number, serve: () => HostEvent): void {
    const { life } = this
    const slow = life.chance() < 0.03
    const half = (slow ? seconds(61 + life.chance() * 199) : seconds(0.05 + life.chance() * 3)) / 2
    const { process } = life
    life.time.after(half, () => {
      if (life.process !== process) return
      const lost = !life.host.reachable || life.chance() < 0.04
      const event: HostEvent = lost
        ? { type: "unavailable", at: 0, call, kind: "timed_out", message: "No answer.", retry_after_ms: null }
        : serve()
      this.later(half, () => event)
    })
  }

  private facts(call: Reading) {
    const { host, time } = this.life
    return {
      at: time.now,
      uptime_seconds: host.uptimeSeconds,
      database_clean: host.databaseClean,
      reboot_needed: host.rebootIsNeeded,
      active_job_id: (host.activeJob?.id ?? null) as AgentJobId | null,
      services: Object.fromEntries(call.services.map((unit) => [unit, host.service]))
    }
  }

  private evidence(call: Extract<Reading, { kind: "ReadEvidence" }>): HostEvent {
    const versions = this.life.host.versions()
    const evidence: Evidence = {
      ...this.facts(call),
      installed: Object.fromEntries(call.names.map((name) => [name, versions[name] ?? null]))
    }
    return { type: "evidence", at: 0, call: call.call, evidence }
  }

  private baseline(call: Extract<Reading, { kind: "ReadBaseline" }>): HostEvent {
    const { host } = this.life
    const { selection } = call
    const names = selection.kind === "packages" ? selection.names : [...host.packages.keys()]
    const changes = names.flatMap((name) => {
      const entry = host.packages.get(name)
      if (entry === undefined || entry.installed === 0 || entry.available <= entry.installed) return []
      return [{ name, from: String(entry.installed), to: String(entry.available) }]
    })
    const baseline: Baseline = {
      ...this.facts(call),
      job_ids: host.jobs.map((job) => job.id as AgentJobId),
      changes,
      installed: host.versions(),
      format: "deb",
      degraded: this.life.chance() < 0.1 ? "The agent could not refresh its package lists." : null
    }
    return { type: "baseline", at: 0, call: call.call, baseline }
  }

  private mutate(call: HostChangeCall): void {
    const { life } = this
    life.ledger.leaves(call, life.time.now)
    const { intent } = call
    if (!life.host.reachable || life.chance() < 0.02)
      return this.later(seconds(life.chance() * 10), () => ({
        type: "unsent",
        at: 0,
        intent,
        kind: "refused",
        message: "Nothing listens."
      }))
    const { process } = life
    const sentAt = life.time.now
    const travel = life.chance() < 0.05 ? life.chance() * (seconds(60) + this.lateness) : seconds(life.chance() * 2)
    life.time.after(travel, () => {
      const gaveUpAt = process === life.process ? this.interruptedAt.get(call.call) : sentAt
      if (gaveUpAt !== undefined && life.time.now - gaveUpAt > this.lateness) return
      if (!life.host.reachable) return
      this.answer(call, process)
    })
    if (life.chance() < 0.05)
      this.later(seconds(1 + life.chance() * 40), () => ({
        type: "unclear",
        at: 0,
        intent,
        kind: "connection_lost",
        message: "The connection broke."
      }))
  }

  private answer(call: HostChangeCall, process: number): void {
    const { life } = this
    const { intent } = call
    const reply =
      call.kind === "Reboot" ? life.host.reboot(intent, call.delay_seconds) : life.host.change(intent, workOf(call))
    if (process !== life.process || life.chance() < 0.08) return
    const delay = life.chance() < 0.05 ? seconds(61 + life.chance() * 199) : seconds(life.chance() * 3)
    this.later(delay, () =>
      reply.kind === "accepted"
        ? { type: "accepted", at: 0, intent, job_id: reply.jobId as AgentJobId }
        : {
            type: "refused",
            at: 0,
            intent,
            code: reply.retryable ? "QUEUE_FULL" : "PATCH_REFUSED",
            message: "not now",
            retryable: reply.retryable,
            retry_after_ms: reply.retryAfterMs
          }
    )
  }
}
