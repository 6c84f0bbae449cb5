/** Where a live socket stands. Pure: the socket reports what happens, the page reads the phase. */
import { createStore } from "@xstate/store"

export type Phase = "offline" | "connecting" | "live" | "reconnecting"

export interface Connection {
  readonly phase: Phase
  /** Last number seen; where the next socket takes up. */
  readonly seq: number | null
  /** Failures in a row; sets the pause before the next try. */
  readonly failures: number
  /** Epoch milliseconds until which what is shown is known to be whole. */
  readonly whole_until: number | null
}

const start: Connection = { phase: "offline", seq: null, failures: 0, whole_until: null }

export const createConnection = () =>
  createStore({
    context: start,
    on: {
      opening: (context): Connection => ({ ...context, phase: context.seq === null ? "connecting" : "reconnecting" }),
      heard: (context, event: { seq: number; at: number }): Connection => ({
        phase: "live",
        seq: Math.max(context.seq ?? 0, event.seq),
        failures: 0,
        whole_until: event.at
      }),
      lost: (context, event: { at: number }): Connection => ({
        ...context,
        phase: "reconnecting",
        failures: context.failures + 1,
        whole_until: context.phase === "live" ? event.at : context.whole_until
      }),
      gone: (context): Connection => ({ ...context, phase: "offline" }),
      stopped: (): Connection => start
    }
  })
export type ConnectionStore = ReturnType<typeof createConnection>

const FIRST_MS = 500
const LONGEST_MS = 20_000

/** Doubles with each failure; half of it by chance, so that consoles do not come back all at once. */
export const pauseAfter = (failures: number, chance: number): number => {
  const whole = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, failures - 1))
  return whole / 2 + (whole / 2) * chance
}

/** After this many failures in a row the indicator says offline; trying goes on. */
export const OFFLINE_AFTER = 6

/** What a closed socket asks of the page: `again` for a lost connection. Codes of http/server, RFC 6455 section 7.4.2. */
export type Parting = "again" | "session_ended" | "scope_changed"

export const partingOf = (code: number): Parting => {
  if (code === 4401) return "session_ended"
  return code === 4403 ? "scope_changed" : "again"
}
