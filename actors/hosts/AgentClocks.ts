/** Agents whose clock is wrong: an alarm for each, so that somebody sets it right. Nothing of ours hangs on their clocks. */
import { Effect } from "effect"
import type { HostId } from "#core/Ids.ts"
import { clearAlarm, raiseAlarm, readAlarmed } from "#sql/AlarmStore.ts"
import { DatabaseClock } from "./DatabaseClock.ts"

const KIND = "agent_clock_off"
/** Certificates are backdated by as much, and no answer takes so long. */
const OFF_MILLIS = 5 * 60_000

const spans = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000]
] as const

/** Rounded down to its largest unit, so that the alarm of a steady clock stays the same. */
const roughly = (millis: number): string => {
  const [unit, size] = spans.find(([, span]) => millis >= span) ?? spans[2]
  const count = Math.floor(millis / size)
  return `${count} ${unit}${count === 1 ? "" : "s"}`
}

/** Compares what agents say the time is with the database's. */
export const makeAgentClocks = Effect.gen(function* () {
  const clock = yield* DatabaseClock
  const off = new Map<HostId, string>(yield* readAlarmed(KIND))
  return Effect.fnUntraced(function* (id: HostId, toldAt: number | null) {
    if (toldAt === null) return
    const ahead = toldAt - (yield* clock.now)
    const message =
      Math.abs(ahead) < OFF_MILLIS
        ? undefined
        : `The agent's clock is ${roughly(Math.abs(ahead))} ${ahead > 0 ? "ahead" : "behind"}. Set the host's clock right: its own logs and certificate checks go by it.`
    if (off.get(id) === message) return
    if (message === undefined) {
      yield* clearAlarm(KIND, id)
      off.delete(id)
    } else {
      yield* raiseAlarm(KIND, message, id)
      off.set(id, message)
    }
  })
})
