/** The machine's times in milliseconds. Tests and the development start shorten them; they never reach a snapshot. */
export interface Tuning {
  /** One read from the agent. */
  readonly call_ms: number
  /** From the first byte of a mutating call to its answer; the socket is destroyed afterwards. */
  readonly send_ms: number
  /** One agent job, before its outcome is asked about. */
  readonly run_ms: number
  /** A rollback by the agent: most agents take it and never begin. */
  readonly rollback_ms: number
  readonly verify_ms: number
  /** On top of the delay that was asked for. */
  readonly leave_ms: number
  readonly away_ms: number
  /** Calm after a boot, before anything is read. */
  readonly calm_ms: number
  readonly settle_ms: number
  /** Pause between two rounds of asking; must exceed the time in which a sent request can still start on the agent. */
  readonly quiet_ms: number
  readonly quiet_max_ms: number
  /** Waits after the first, second and third failure to reach the agent. */
  readonly backoff_ms: readonly [number, number, number]
  /** Wait before the second try of a job that failed. */
  readonly second_try_ms: number
  /** The longest Retry-After that is obeyed. */
  readonly retry_after_max_ms: number
}

const second = 1000
const minute = 60 * second

export const productionTuning: Tuning = {
  call_ms: minute,
  send_ms: minute,
  run_ms: 45 * minute,
  rollback_ms: 10 * minute,
  verify_ms: 10 * minute,
  leave_ms: 10 * minute,
  away_ms: 20 * minute,
  calm_ms: 15 * second,
  settle_ms: 24 * 60 * minute,
  quiet_ms: 30 * second,
  quiet_max_ms: 15 * minute,
  backoff_ms: [minute, 5 * minute, 30 * minute],
  second_try_ms: 2 * minute,
  retry_after_max_ms: 60 * minute
}
