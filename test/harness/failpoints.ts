/** What a test makes of a failpoint. */
import { Effect } from "effect"
import type { FailpointAction, FailpointName } from "#actors/hosts/Failpoint.ts"

export interface Breakage {
  readonly at: FailpointName
  /** Only where the work is for this host. */
  readonly host?: string
  readonly how:
    /** SIGKILL to itself. */
    | "kill"
    /** A promise nobody waits for is rejected. */
    | "reject"
    /** The heap grows until the process is ended for it. */
    | "exhaust"
    /** The event loop stands still. */
    | { readonly block_ms: number }
    /** This one piece of work waits, and nothing else does. */
    | { readonly sleep_ms: number }
}

const block = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

const exhaust = (): never => {
  const held: Array<Array<object>> = []
  for (;;) held.push(Array.from({ length: 100_000 }, (_, index) => ({ index })))
}

/** Breaks at the named point the first time it is reached. */
export const breakAt = ({ at, host: wanted, how }: Breakage): FailpointAction => {
  let done = false
  return (name, host) =>
    Effect.suspend(() => {
      if (done || name !== at || (wanted !== undefined && wanted !== host)) return Effect.void
      done = true
      if (how === "kill") return Effect.sync(() => void process.kill(process.pid, "SIGKILL"))
      if (how === "reject") return Effect.sync(() => void Promise.reject(new Error(`planted at ${name}`)))
      if (how === "exhaust") return Effect.sync(exhaust)
      return "block_ms" in how ? Effect.sync(() => block(how.block_ms)) : Effect.sleep(how.sleep_ms)
    })
}
