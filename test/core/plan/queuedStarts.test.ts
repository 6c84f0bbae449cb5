import { describe, expect, it } from "vitest"
import { JobId } from "#core/Ids.ts"
import { queuedStarts, type QueuedOrder } from "#core/plan/queuedStarts.ts"
import { groupId, hostId, windowFrom } from "#test/core/window/windowsFrom.ts"

const MINUTE = 60_000
const from = Date.parse("2026-03-02T12:00:00Z")
const week = 7 * 1440 * MINUTE
const at = (text: string): number => Date.parse(`2026-03-${text}:00Z`)

const order = (host: number, job = 1, fields: Partial<QueuedOrder> = {}): QueuedOrder => ({
  job_id: JobId.make(`01a200e4-e652-70d0-b45c-00000000000${job}`),
  job_number: job,
  host_id: hostId(host),
  when: { kind: "next_window" },
  expires_at: null,
  expected_seconds: 600,
  ...fields
})

const hosts = [0, 1, 2, 3].map((n) => ({ id: hostId(n), group_ids: n < 2 ? [groupId(1)] : [] }))
const nightly = windowFrom(1)
const startsOf = (windows: Parameters<typeof queuedStarts>[0]["windows"], ...orders: ReadonlyArray<QueuedOrder>) =>
  queuedStarts({ windows, hosts }, orders, from, from + week).map(({ job_number, starts_at, host_ids }) => [
    job_number,
    starts_at,
    host_ids
  ])

describe("jobs that wait", () => {
  it("hosts of a job with the same windows start together, those without a window never", () => {
    expect(startsOf([nightly], order(0), order(1), order(2))).toEqual([
      [1, at("03T02:00"), [hostId(0), hostId(1)]],
      [1, null, [hostId(2)]]
    ])
  })

  it("an opening that is open now counts from now, while there is room for the work", () => {
    const noon = windowFrom(1, { rule: { kind: "daily", starts_at_local: "11:00" }, duration_minutes: 90 })
    expect(startsOf([noon], order(0))).toEqual([[1, from, [hostId(0)]]])
    expect(startsOf([noon], order(0, 1, { expected_seconds: 31 * 60 }))).toEqual([[1, at("03T11:00"), [hostId(0)]]])
    expect(startsOf([noon], order(0, 1, { expected_seconds: 91 * 60 }))).toEqual([[1, null, [hostId(0)]]])
  })

  it("a blackout puts off, and a job that expires before is never started", () => {
    const freeze = windowFrom(2, {
      kind: "blackout",
      scope: { kind: "all" },
      rule: { kind: "once", starts_on_local: "2026-03-03T00:00" },
      duration_minutes: 180
    })
    expect(startsOf([nightly, freeze], order(0))).toEqual([[1, at("03T03:00"), [hostId(0)]]])
    expect(startsOf([nightly, freeze], order(0, 1, { expires_at: at("03T02:30") }))).toEqual([[1, null, [hostId(0)]]])
  })

  it("a job for a certain time starts then, if a window is open", () => {
    const when = { kind: "at", at: at("04T02:30") } as const
    expect(startsOf([nightly], order(0, 2, { when }), order(1))).toEqual([
      [1, at("03T02:00"), [hostId(1)]],
      [2, at("04T02:30"), [hostId(0)]]
    ])
    expect(startsOf([nightly], order(0, 2, { when: { kind: "at", at: at("04T12:00") } }))).toEqual([
      [2, null, [hostId(0)]]
    ])
  })

  it("what comes after the span is not in it", () => {
    const once = windowFrom(1, { rule: { kind: "once", starts_on_local: "2026-03-10T12:00" } })
    expect(startsOf([once], order(0))).toEqual([[1, null, [hostId(0)]]])
  })
})
