/**
 * Judges a job's orders that have not started: those about which something changed, those whose moment has come, and as many of
 * those in line as there is room for. What may start is handed over, what may not is noted down with the reason.
 */
import { Effect } from "effect"
import type { WaitReason, WindowMoment } from "#core/Dispatch.ts"
import type { HostId } from "#core/Ids.ts"
import {
  endOrders,
  noteWaits,
  type OrderEnd,
  type OrderFacts,
  type OrderWait,
  readOrderFacts
} from "#sql/dispatchFacts.ts"
import type { JobLook } from "#sql/JobSnapshotStore.ts"
import { DatabaseClock } from "../hosts/DatabaseClock.ts"
import { DisabledGuards } from "../hosts/Guards.ts"
import { HostSteps } from "../hosts/HostSteps.ts"
import { HostSupervisor } from "../hosts/HostSupervisor.ts"
import { type Candidate, handOver, orderOf } from "./handOver.ts"
import { noMoment, readWindowMoments } from "./hostWindows.ts"
import type { JobHandle } from "./JobHandle.ts"
import { differs, judgeOrder } from "./judgeOrder.ts"

export interface Dispatched {
  /** Hosts that may start now, those that are just being handed their order included. */
  readonly startable: number
  /** When another one may, by the calendar alone. */
  readonly next_at: number | null
  /** When orders have to be judged again, whatever happens. */
  readonly look_at: number | null
  /** Hosts for which something changed that a younger job may be waiting for. */
  readonly moved: ReadonlyArray<HostId>
  /** Some ended without their host, so the counts are others now. */
  readonly ended: boolean
}

const HOST_NOT_THERE_MILLIS = 5_000
const ROUNDS = 20

/** An always open window, for the test that shows what rests on the check. */
const unchecked = (at: number): WindowMoment => ({
  open: { opens_at: 0, closes_at: at + 365 * 86_400_000, window_ids: [] },
  next: null,
  blackout: null
})

const calendarReasons: ReadonlySet<WaitReason["code"] | null> = new Set([
  "scheduled",
  "waiting_for_window",
  "window_too_short",
  "blackout"
])

const summarize = (handle: JobHandle) => {
  let startable = handle.handing.size
  let next_at: number | null = null
  let look_at: number | null = null
  for (const [host, { reason, until }] of handle.standings) {
    if (reason === null && !handle.handing.has(host)) startable++
    if (until === null) continue
    if (look_at === null || until < look_at) look_at = until
    if (calendarReasons.has(reason) && (next_at === null || until < next_at)) next_at = until
  }
  return { startable, next_at, look_at }
}

/** First all about which something changed, then, while there is room, the next ones in line. */
const nextHosts = (handle: JobHandle, at: number, room: number, seen: ReadonlySet<HostId>, first: boolean) => {
  const { changed, standings, handing } = handle
  const hosts = new Set<HostId>()
  if (first && changed !== null) for (const host of changed) hosts.add(host)
  let left = room
  for (const [host, { reason, until }] of standings) {
    if (seen.has(host) || handing.has(host)) continue
    if (first && until !== null && until <= at) hosts.add(host)
    else if (left > 0 && reason === "concurrency_limit") {
      left--
      hosts.add(host)
    }
  }
  return [...hosts].filter((host) => !handing.has(host))
}

interface Round {
  readonly candidates: Array<Candidate>
  readonly waits: Array<OrderWait>
  readonly ends: Array<OrderEnd>
  readonly moved: Array<HostId>
}

export const dispatch = Effect.fnUntraced(function* (
  handle: JobHandle,
  look: JobLook,
  /** Hosts that were being handed their order before the look. */
  handedBefore: number
) {
  const supervisor = yield* HostSupervisor
  const steps = yield* HostSteps
  const clock = yield* DatabaseClock
  const checksWindows = !(yield* DisabledGuards).has("window_check")
  const { job, standings, handing } = handle
  const at = yield* clock.now
  const skew_ms = yield* clock.skew
  const { stopped: stopped_reason } = handle.snapshot.context
  const under = JSON.stringify([look.wave, look.paused_by, look.cancel_requested_by, stopped_reason])
  if (under !== handle.judgedUnder) handle.changed = null
  let open = look.counts.open + look.counts.uncertain + handedBefore
  const seen = new Set<HostId>()
  const moved: Array<HostId> = []
  let ended = false

  const windowsOf = Effect.fnUntraced(function* (orders: ReadonlyArray<OrderFacts>) {
    if (!checksWindows) return new Map(orders.map((order) => [order.host_id, unchecked(at)]))
    const held = look.paused_by ?? look.cancel_requested_by ?? stopped_reason
    const hosts = orders.filter((order) => held === null && order.wave <= (look.wave ?? order.wave))
    return yield* readWindowMoments(
      hosts.map((order) => order.host_id),
      at
    )
  })

  const judge = (order: OrderFacts, windows: WindowMoment, round: Round) => {
    const { host_id } = order
    const judged = judgeOrder(at, { job, look, skew_ms, stopped_reason, open }, order, windows)
    if (judged.kind === "end") {
      standings.delete(host_id)
      round.ends.push(judged.end)
      round.moved.push(host_id)
      return
    }
    if (judged.kind === "wait") {
      standings.set(host_id, { reason: judged.reason.code, until: judged.until })
      if (!differs(order, judged.noted)) return
      round.waits.push(judged.noted)
      round.moved.push(host_id)
      return
    }
    const candidate: Candidate = { order, closes_at: judged.closes_at }
    const host = supervisor.handles.get(host_id)
    const event = { type: "order" as const, at, order: orderOf(job, candidate), by: job.requested_by }
    // A host that starts again or is new here gets its order at a later look.
    const takes = host !== undefined && steps.canTake(host.snapshot, event)
    if (!takes) standings.set(host_id, { reason: null, until: at + HOST_NOT_THERE_MILLIS })
    else {
      open++
      standings.set(host_id, { reason: null, until: null })
      round.candidates.push(candidate)
    }
  }

  const all = handle.changed === null
  let hosts = all ? null : nextHosts(handle, at, job.max_concurrency - open, seen, true)
  handle.changed = new Set()
  handle.judgedUnder = under
  for (let rounds = 0; rounds < ROUNDS && (hosts === null || hosts.length > 0); rounds++) {
    const orders = yield* readOrderFacts(job.id, hosts)
    if (hosts === null) standings.clear()
    else {
      const found = new Set(orders.map((order) => order.host_id))
      for (const host of hosts) if (!found.has(host)) standings.delete(host)
      for (const host of hosts) seen.add(host)
    }
    const moments = yield* windowsOf(orders)
    const round: Round = { candidates: [], waits: [], ends: [], moved }
    for (const order of orders) {
      seen.add(order.host_id)
      if (handing.has(order.host_id)) standings.set(order.host_id, { reason: null, until: null })
      else judge(order, moments.get(order.host_id) ?? noMoment, round)
    }
    yield* handOver(handle, round.candidates)
    yield* noteWaits(job.id, round.waits)
    yield* endOrders(job.id, round.ends)
    ended ||= round.ends.length > 0
    hosts = nextHosts(handle, at, job.max_concurrency - open, seen, false)
  }
  const dispatched: Dispatched = { ...summarize(handle), moved, ended }
  return dispatched
})
