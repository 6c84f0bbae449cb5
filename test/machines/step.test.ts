import { Result, Schema } from "effect"
import { describe, expect, it } from "vitest"
import type { HostEvent } from "#core/HostEvent.ts"
import { HostContext } from "#machines/HostContext.ts"
import { hostMachine, makeHostMachine, machineVersion } from "#machines/hostMachine.ts"
import { hostStep, makeHostStep, persist, restore, step } from "#machines/step.ts"
import { Drive, orderId, type Place } from "./Drive.ts"

const places: ReadonlyArray<Place> = [
  "idle",
  "patching.preparing",
  "patching.dispatching",
  "patching.running",
  "patching.verifying",
  "rebooting.leaving",
  "rebooting.away",
  "rebooting.returning",
  "settling.quiet",
  "settling.asking",
  "settling.inspecting",
  "retrying",
  "failed",
  "unresolved"
]

const stored = (drive: Drive): { value: unknown; context: Record<string, unknown> } =>
  JSON.parse(JSON.stringify(persist(drive.snapshot))) as never

const refusal = (read: ReturnType<typeof restore>): string => (Result.isFailure(read) ? read.failure.message : "read")

describe("stored and restored", () => {
  it.each(places)("%s", (place) => {
    const drive = new Drive().to(place)
    const read = Result.getOrThrow(restore({ machine_version: machineVersion, ...stored(drive) }))
    expect(persist(read)).toEqual(persist(drive.snapshot))
    expect(read.status).toBe("active")
  })

  it("retired", () => {
    const drive = new Drive().retire(true)
    expect(Result.getOrThrow(restore({ machine_version: machineVersion, ...stored(drive) })).status).toBe("done")
  })
})

describe("refused", () => {
  const { value, context } = stored(new Drive().to("patching.running"))

  it("a state value without one of its regions, which XState would fill in silently", () => {
    expect(refusal(restore({ machine_version: 1, value: { managed: { link: "healthy" } }, context }))).toContain("work")
  })

  it("a state that does not exist", () => {
    const unknown = { managed: { link: "healthy", work: { patching: "nonsense" } } }
    expect(refusal(restore({ machine_version: 1, value: unknown, context }))).toContain("cannot be read")
  })

  it("a context that lacks a field", () => {
    const { seq: _, ...rest } = context
    expect(refusal(restore({ machine_version: 1, value, context: rest }))).toContain("seq")
  })

  it("a version of another release", () => {
    expect(refusal(restore({ machine_version: 99, value, context }))).toContain("version 99")
  })
})

it("the context is plain data that its schema reads back", () => {
  for (const place of places) {
    const { context } = stored(new Drive().to(place))
    expect(Schema.decodeUnknownSync(HostContext)(context)).toEqual(context)
  }
})

it("a defect in the machine is an error, not a throw", () => {
  const broken = makeHostStep(
    hostMachine.provide({
      guards: {
        when: () => {
          throw new Error("planted")
        }
      }
    })
  )
  const { snapshot } = Result.getOrThrow(broken.initialStep())
  const stepped = broken.step(snapshot, { type: "poll.failed", at: 1, kind: "refused", message: "" })
  expect(Result.isFailure(stepped) && stepped.failure.message).toContain("planted")
})

it("a delay that is no number is refused, not fallen through", () => {
  const broken = makeHostStep(hostMachine.provide({ delays: { call: () => Number.NaN } }))
  expect(() => new Drive(broken).order()).toThrow(/unusable delay/)
})

it("changed, refused and unknown are told apart", () => {
  const failed = new Drive().to("failed")
  const after = (event: HostEvent) => {
    const { changed, handled } = Result.getOrThrow(step(failed.snapshot, event))
    return { changed, handled }
  }
  const order_id = failed.context.order?.id ?? orderId
  expect(after({ type: "dismiss", at: 1, by: "ada" })).toEqual({ changed: true, handled: true })
  expect(after({ type: "cancel", at: 1, order_id, by: "ada" })).toEqual({ changed: false, handled: true })
  expect(after({ type: "jobs", at: 1, call: 0, jobs: [] })).toEqual({ changed: false, handled: false })
})

it("other times change timers, never a snapshot", () => {
  const quick = makeHostStep(
    makeHostMachine({ tuning: { call_ms: 1, quiet_ms: 2, settle_ms: 3, send_ms: 4, run_ms: 5, backoff_ms: [6, 7, 8] } })
  )
  for (const place of places) {
    const slow = new Drive(hostStep).to(place)
    const fast = new Drive(quick)
    fast.to(place)
    const timeless = (drive: Drive) =>
      JSON.stringify(stored(drive))
        .replace(/\d{13}/g, "time")
        .replace(/1000\d\d(\.\d+)?/g, "up")
    expect(timeless(fast)).toBe(timeless(slow))
  }
})
