/** How the worker polls and paces itself. The two intervals change at run time: read them when they are needed. */
import { Context } from "effect"

export interface WorkerSettingsShape {
  healthIntervalMillis: number
  patchIntervalMillis: number
  readonly packagesIntervalMillis: number
  /** Waits after the first, second and further failed polls in a row. */
  readonly retryMillis: ReadonlyArray<number>
  readonly pollers: number
  /** Polls started per second when the worker comes up and all hosts are overdue. */
  readonly startPollsPerSecond: number
  /** Calls that polls make per second at most, so that a fleet that comes back is not met all at once. */
  readonly pollCallsPerSecond: number
  /** A deadline found overdue on start waits this long, so that the host is looked at first. */
  readonly overdueGraceMillis: number
  readonly probeIntervalMillis: number
  /** Pause between two readings of a host whose evidence is awaited. */
  readonly evidencePauseMillis: number
  /** Between two looks at the manager's own certificates. */
  readonly trustIntervalMillis: number
  readonly programVersion: string
}

export const defaultWorkerSettings: WorkerSettingsShape = {
  healthIntervalMillis: 5 * 60_000,
  patchIntervalMillis: 30 * 60_000,
  packagesIntervalMillis: 24 * 3_600_000,
  retryMillis: [60_000, 5 * 60_000, 30 * 60_000],
  pollers: 48,
  startPollsPerSecond: 100,
  pollCallsPerSecond: 250,
  overdueGraceMillis: 60_000,
  probeIntervalMillis: 5_000,
  evidencePauseMillis: 15_000,
  trustIntervalMillis: 3_600_000,
  programVersion: "0.0.0"
}

export const WorkerSettings = Context.Reference<WorkerSettingsShape>("patch-manager/actors/WorkerSettings", {
  defaultValue: () => defaultWorkerSettings
})
