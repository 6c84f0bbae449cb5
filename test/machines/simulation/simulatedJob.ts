/** A job and the rows of its hosts, chosen by chance, and what the product's queries would find in them. */
import type { WaitReason } from "#core/Dispatch.ts"
import { HostId, JobId, OrderId } from "#core/Ids.ts"
import type { JobCounts } from "#core/JobEvent.ts"
import { type JobHostState, openJobHostStates } from "#core/JobState.ts"
import { defaultPreCheck } from "#core/Order.ts"
import { jobMachineVersion } from "#machines/jobMachine.ts"
import type { JobLook, StoredJob } from "#sql/JobSnapshotStore.ts"
import { type Chance, hours } from "./Scheduler.ts"

export interface Row {
  readonly id: OrderId
  readonly host: HostId
  readonly wave: number
  readonly expected_seconds: number
  state: JobHostState
  ended: boolean
  verdict: string | null
  waits_for: WaitReason | null
  deferrals: number
  starts: number
  unreachable: boolean
  lost: boolean
  leaving: boolean
  /** Another job works here until then. */
  busyUntil: number
}

const idOf = (seed: number, kind: number, n: number): string =>
  `01900000-0000-7${kind}${n.toString(16).padStart(2, "0")}-8000-${seed.toString(16).padStart(12, "0")}`

export const unstarted: ReadonlySet<JobHostState> = new Set(["queued", "waiting", "deferred"])
const isOpen = (row: Row): boolean => openJobHostStates.includes(row.state) && !row.ended

export const makeSimulatedJob = (seed: number, begin: number, chance: Chance) => {
  const many = 1 + Math.floor(chance() * 8)
  const waves = chance() < 0.4 ? 1 + Math.floor(chance() * 3) : 1
  const kind = chance()
  const rows: Array<Row> = Array.from({ length: many }, (_, n) => ({
    id: OrderId.make(idOf(seed, 1, n)),
    host: HostId.make(idOf(seed, 2, n)),
    wave: Math.min(waves, 1 + Math.floor((n * waves) / many)),
    expected_seconds: Math.floor(chance() * 1800),
    state: "queued" as const,
    ended: false,
    verdict: null,
    waits_for: null,
    deferrals: 0,
    starts: 0,
    unreachable: false,
    lost: chance() < 0.02,
    leaving: chance() < 0.02,
    busyUntil: chance() < 0.2 ? begin + hours(chance() * 6) : 0
  }))
  const asked = begin + hours(chance() * 30)
  const job: StoredJob = {
    id: JobId.make(idOf(seed, 3, 0)),
    number: 7,
    kind: "patch_apply",
    when:
      kind < 0.35
        ? { kind: "immediate" }
        : kind < 0.8
          ? { kind: "next_window" }
          : { kind: "at", at: new Date(asked).toISOString() },
    selection: { kind: "all" },
    packages: [],
    method: null,
    reboot: "never",
    reboot_delay_seconds: 0,
    on_change: "take",
    pin_versions: false,
    pre_check: defaultPreCheck,
    ignore_blackout: chance() < 0.2,
    max_concurrency: 1 + Math.floor(chance() * 5),
    has_waves: waves > 1,
    max_failed: chance() < 0.5 ? Math.floor(chance() * 3) : null,
    carries_over: kind >= 0.35 && chance() < 0.7,
    expires_at: kind >= 0.35 ? begin + hours(12 + chance() * 50) : null,
    requested_by: "ada",
    machine_version: jobMachineVersion,
    version: 0,
    value: null,
    context: null,
    timers: []
  }
  return { job, rows }
}

export const countsOf = (rows: ReadonlyArray<Row>): JobCounts => {
  const count = (holds: (row: Row) => boolean): number => rows.filter(holds).length
  return {
    queued: count((row) => unstarted.has(row.state) && !row.ended),
    open: count((row) => isOpen(row) && row.state !== "uncertain"),
    succeeded: count((row) => row.state === "succeeded"),
    failed: count((row) => row.state === "failed"),
    deferred: count((row) => row.state === "deferred" && row.ended),
    cancelled: count((row) => row.state === "cancelled"),
    uncertain: count((row) => row.state === "uncertain")
  }
}

export const lookAtRows = (
  job: StoredJob,
  rows: ReadonlyArray<Row>,
  wishes: Pick<JobLook, "paused_by" | "cancel_requested_by">
): JobLook => {
  const left = rows.filter((row) => !row.ended).map((row) => row.wave)
  return {
    ...wishes,
    counts: countsOf(rows),
    unresolved: rows.filter((row) => row.state === "uncertain" && row.verdict === "unresolved").length,
    unhealthy: job.max_failed === null ? 0 : rows.filter((row) => row.state === "succeeded" && row.unreachable).length,
    wave: left.length === 0 ? null : Math.min(...left)
  }
}
