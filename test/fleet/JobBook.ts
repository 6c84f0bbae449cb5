import { randomUUID } from "node:crypto"
import type { Change, CommandFailure } from "./Backend.ts"
import type { Profile } from "./Profile.ts"
import { timestamp } from "./Wire.ts"

export type Operation = "install" | "update" | "remove" | "patchapply" | "reboot" | "rollback" | "selfupdate"

/** REST spelling; the WebSocket says timed_out. */
export type JobStatus = "pending" | "running" | "rebooting" | "completed" | "failed" | "timedout" | "cancelled"

export interface Job {
  readonly id: string
  readonly operation: Operation
  readonly packages: ReadonlyArray<string>
  readonly createdAt: number
  readonly rollbackOf: string | null
  status: JobStatus
  progress: number
  message: string
  completedAt: number | null
  logs: Array<string>
  error: string | null
  failure: Partial<CommandFailure> | undefined
  /** What it really changed. */
  changes: ReadonlyArray<Change>
}

/** The flat object of the job WebSocket. */
export interface JobEvent {
  readonly event: string
  readonly job_id: string
  readonly status: string
  readonly progress: number
  readonly message: string
  readonly timestamp: string
  readonly error?: string
  readonly error_code?: string
}

const active: ReadonlySet<JobStatus> = new Set(["pending", "running", "rebooting"])

export const isActive = (job: Job): boolean => active.has(job.status)

const historyLimit = 500

/** An agent's job list, with what a restart leaves of it in each generation. */
export class JobBook {
  private readonly profile: Profile
  private jobs: Array<Job> = []
  private readonly listeners = new Set<(event: JobEvent) => void>()

  constructor(profile: Profile) {
    this.profile = profile
  }

  subscribe(listener: (event: JobEvent) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  create(operation: Operation, packages: ReadonlyArray<string>, rollbackOf: string | null = null): Job {
    const job: Job = {
      id: randomUUID(),
      operation,
      packages,
      createdAt: Date.now(),
      rollbackOf,
      status: "pending",
      progress: 0,
      message: "Job created",
      completedAt: null,
      logs: [],
      error: null,
      failure: undefined,
      changes: []
    }
    this.jobs.push(job)
    const oldest = this.jobs.findIndex((one) => !isActive(one))
    if (this.jobs.length > historyLimit && oldest >= 0) this.jobs.splice(oldest, 1)
    this.announce(job)
    return job
  }

  /** A job that the agent notes for its own housekeeping; it is over when it appears. */
  note(name: string): void {
    const job = this.create("install", [name])
    this.update(job, { status: "completed", progress: 100, completedAt: Date.now() })
  }

  update(job: Job, change: Partial<Omit<Job, "id" | "operation" | "createdAt">>): void {
    Object.assign(job, change)
    if (change.status !== undefined && !isActive(job)) job.completedAt = Date.now()
    this.announce(job)
  }

  log(job: Job, line: string): void {
    job.logs.push(line)
  }

  get(id: string): Job | undefined {
    return this.jobs.find((job) => job.id === id)
  }

  delete(id: string): void {
    this.jobs = this.jobs.filter((job) => job.id !== id)
  }

  newestFirst(): ReadonlyArray<Job> {
    return this.jobs.toReversed()
  }

  countOf(...statuses: ReadonlyArray<JobStatus>): number {
    return this.jobs.filter((job) => statuses.includes(job.status)).length
  }

  cancelPending(reason: string): void {
    for (const job of this.jobs) {
      if (job.status === "pending" && job.operation !== "reboot")
        this.update(job, { status: "cancelled", error: reason })
    }
  }

  /** What is left after the agent, or its whole machine, came back. */
  restart(rebooted: boolean): void {
    if (this.profile.jobMemory === "memory") {
      this.jobs = []
      return
    }
    if (this.profile.jobMemory === "running_only") {
      this.jobs = this.jobs.filter((job) => job.status === "running")
      for (const job of this.jobs) this.orphan(job, "UNKNOWN_ERROR", "Job was interrupted by an agent restart")
      return
    }
    for (const job of this.jobs) {
      if (job.status === "rebooting" || (job.status === "running" && job.operation === "selfupdate")) {
        Object.assign(job, { status: "completed", progress: 100, completedAt: Date.now() })
      } else if (job.status === "running" && rebooted) {
        this.orphan(job, "AGENT_REBOOTED", "Agent host rebooted while the job was running")
      } else if (job.status === "running") {
        this.orphan(job, "AGENT_RESTARTED", "Agent restarted while the job was running")
      } else if (job.status === "pending" && (job.operation !== "rollback" || this.profile.runsRollback)) {
        Object.assign(job, { status: "cancelled", completedAt: Date.now(), error: "Cancelled by an agent restart" })
      }
    }
  }

  private orphan(job: Job, errorCode: string, error: string): void {
    Object.assign(job, { status: "failed", error, completedAt: Date.now(), failure: { errorCode } })
  }

  private announce(job: Job): void {
    if (this.listeners.size === 0) return
    const event: JobEvent = {
      event: "job_status",
      job_id: job.id,
      status: job.status === "timedout" ? "timed_out" : job.status,
      progress: job.progress,
      message: job.message,
      timestamp: timestamp(),
      ...(job.status === "failed" && job.error !== null && this.profile.errorCodes
        ? { error: job.error, error_code: job.failure?.errorCode ?? "UNKNOWN_ERROR" }
        : {})
    }
    for (const listener of this.listeners) listener(event)
  }

  /** A job as the list gives it. */
  item(job: Job): Readonly<Record<string, unknown>> {
    return {
      job_id: job.id,
      operation: job.operation,
      status: job.status,
      created_at: timestamp(job.createdAt),
      completed_at: job.completedAt === null ? null : timestamp(job.completedAt),
      packages: job.packages,
      ...(this.profile.errorCodes && job.failure?.errorCode !== undefined ? { error_code: job.failure.errorCode } : {})
    }
  }

  /** A job as its own path gives it. */
  detail(job: Job): Readonly<Record<string, unknown>> {
    const failure = this.profile.errorCodes && job.status === "failed" ? job.failure : undefined
    return {
      job_id: job.id,
      operation: job.operation,
      status: job.status,
      progress: job.progress,
      message: job.message,
      created_at: timestamp(job.createdAt),
      completed_at: job.completedAt === null ? null : timestamp(job.completedAt),
      packages: job.packages,
      logs: job.logs,
      error: job.error,
      ...(failure?.errorCode === undefined ? {} : { error_code: failure.errorCode }),
      ...(failure?.exitCode === undefined ? {} : { exit_code: failure.exitCode }),
      ...(failure?.stdout === undefined ? {} : { command_stdout: failure.stdout }),
      ...(failure?.stderr === undefined ? {} : { command_stderr: failure.stderr }),
      rollback_job_id: job.rollbackOf,
      exclusive_mode: job.operation === "rollback"
    }
  }
}
