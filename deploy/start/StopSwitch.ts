import { StopRequested } from "./StartError.ts"

/** Whether and how this process was asked to stop. */
export interface StopSwitch {
  /** Aborted by the first request. */
  readonly signal: AbortSignal
  readonly requested: Promise<void>
  /** Throws `StopRequested` once someone asked: call it between the steps of a start. */
  readonly check: () => void
  /** Called when someone insists, a second or more after the first request. */
  readonly onInsist: (now: () => void) => void
}

const patienceMs = 1_000

/**
 * Listens for SIGINT, SIGTERM, SIGHUP and SIGQUIT. One Ctrl-C arrives several times within a millisecond (from the
 * terminal, npm and the bootstrap), so only a later one counts as a second.
 */
export const stopSwitch = (): StopSwitch => {
  const controller = new AbortController()
  const { promise, resolve } = Promise.withResolvers<void>()
  let first: number | undefined
  let insist = (): void => undefined
  const request = (): void => {
    if (first === undefined) {
      first = performance.now()
      controller.abort()
      resolve()
    } else if (performance.now() - first >= patienceMs) {
      insist()
    }
  }
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) process.on(name, request)
  return {
    signal: controller.signal,
    requested: promise,
    check: () => {
      if (first !== undefined) throw new StopRequested()
    },
    onInsist: (now) => {
      insist = now
    }
  }
}
