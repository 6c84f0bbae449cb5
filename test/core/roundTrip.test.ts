import { describe, expect, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { HostCommand, isCall } from "#core/HostCommand.ts"
import { HostEvent } from "#core/HostEvent.ts"
import { JobCommand, isJobCall } from "#core/JobCommand.ts"
import { JobEvent } from "#core/JobEvent.ts"
import { Outcome } from "#core/Order.ts"
import { canTake, initialStep } from "#machines/step.ts"

/** As it is stored: encoded, through JSON, and decoded again. */
const stored = <S extends Schema.Codec<unknown, unknown>>(schema: S, value: S["Type"]): S["Type"] => {
  const encoded = Schema.encodeUnknownSync(schema)(value)
  return Schema.decodeUnknownSync(schema)(JSON.parse(JSON.stringify(encoded)))
}

/** JSON has no word for these; the agent client lets none in. */
const isFinite = (value: unknown): boolean =>
  typeof value === "number"
    ? Number.isFinite(value)
    : typeof value !== "object" || value === null || Object.values(value).every(isFinite)

const options = { arbitrary: { runs: 400 } }

describe("what is stored with a transition", () => {
  it.prop(
    "reads back a host's event as it was",
    [HostEvent],
    ([event]) => {
      if (isFinite(event)) expect(stored(HostEvent, event)).toEqual(JSON.parse(JSON.stringify(event)))
    },
    options
  )

  it.prop(
    "reads back a host's command as it was",
    [HostCommand],
    ([command]) => {
      if (isFinite(command)) expect(stored(HostCommand, command)).toEqual(JSON.parse(JSON.stringify(command)))
      expect(isCall(command)).toBe("call" in command)
    },
    options
  )

  it.prop(
    "reads back a job's event, its command and an outcome as they were",
    [JobEvent, JobCommand, Outcome],
    ([event, command, outcome]) => {
      if (isFinite(event)) expect(stored(JobEvent, event)).toEqual(JSON.parse(JSON.stringify(event)))
      expect(stored(JobCommand, command)).toEqual(JSON.parse(JSON.stringify(command)))
      expect(isJobCall(command)).toBe("call" in command)
      expect(stored(Outcome, outcome)).toEqual(JSON.parse(JSON.stringify(outcome)))
    },
    options
  )

  it.prop(
    "asks a fresh machine about any event without a throw",
    [HostEvent],
    ([event]) => {
      const { snapshot } = Result.getOrThrow(initialStep())
      expect(typeof canTake(snapshot, event)).toBe("boolean")
    },
    options
  )

  it("refuses what no event is", () => {
    const decode = Schema.decodeUnknownSync(HostEvent)
    for (const wrong of [
      { type: "poll.ok", at: 1, health: "fine", reason: null, uptime_seconds: 1 },
      { type: "poll.failed", at: 1, kind: "sunspots", message: "" },
      { type: "nonsense", at: 1 },
      { type: "xstate.before.call.preparing", at: 1 },
      { type: "resumed" }
    ]) {
      expect(() => decode(wrong), JSON.stringify(wrong)).toThrow()
    }
  })
})
