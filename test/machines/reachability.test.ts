/** Every state can be reached, by walking all events from all states with the context reduced to what decides. */
import { getAdjacencyMap } from "xstate/graph"
import { expect, it } from "vitest"
import { WorkState } from "#core/HostState.ts"
import type { HostEvent } from "#core/HostEvent.ts"
import { AgentJobId, IntentId } from "#core/Ids.ts"
import { workOf } from "#machines/HostValue.ts"
import { hostMachine } from "#machines/hostMachine.ts"
import { expectedTimers, type HostSnapshot, placeOf } from "#machines/step.ts"
import { aJob, agentJob, anOrder } from "./Drive.ts"

const at = 1_800_000_000_000

const readings = {
  at,
  active_job_id: null,
  uptime_seconds: 100_000,
  database_clean: true,
  reboot_needed: false,
  services: {}
}

const allEvents = (snapshot: HostSnapshot): Array<HostEvent> => {
  const { seq: call, intent: open } = snapshot.context
  const intent = open?.id ?? IntentId.make("none")
  const evidence = (version: string): HostEvent => ({
    type: "evidence",
    at: at + 86_400_000,
    call,
    evidence: { ...readings, installed: { openssl: version } }
  })
  return [
    ...expectedTimers(snapshot).map((type) => ({ type: type as `xstate.after.${string}`, at })),
    { type: "order", at, by: "ada", order: anOrder({ reboot: "always" }) },
    { type: "retire", at, force: false, by: "ada" },
    { type: "cancel", at, order_id: anOrder().id, by: "ada" },
    { type: "dismiss", at, by: "ada" },
    { type: "settle.by_hand", at, verdict: "done", by: "ada" },
    { type: "retry.now", at, by: "ada" },
    {
      type: "baseline",
      at,
      call,
      baseline: {
        ...readings,
        job_ids: [],
        changes: [{ name: "openssl", from: "1", to: "2" }],
        installed: { openssl: "1" },
        format: "deb",
        degraded: null
      }
    },
    { type: "unavailable", at, call, kind: "timed_out", message: "", retry_after_ms: null },
    { type: "accepted", at, intent, job_id: agentJob },
    { type: "unclear", at, intent, kind: "timed_out", message: "" },
    { type: "job", at, call, job: aJob({}) },
    { type: "job", at, call, job: aJob({ status: "failed", retryable: true }) },
    { type: "jobs", at, call, jobs: [] },
    { type: "job.gone", at, call, job_id: AgentJobId.make("J1") },
    evidence("1"),
    evidence("2"),
    { type: "poll.ok", at: at + 600_000, health: "healthy", reason: null, uptime_seconds: 5 },
    { type: "poll.ok", at, health: "degraded", reason: null, uptime_seconds: 100_000 },
    { type: "poll.failed", at, kind: "timed_out", message: "" }
  ]
}

const eventsFor = (snapshot: HostSnapshot): Array<HostEvent> =>
  allEvents(snapshot).filter((event) => snapshot.can(event))

/** The link is a fact of its own: which of its states goes with a work state decides nothing here. */
const reduced = ({ value, context }: HostSnapshot): string =>
  JSON.stringify([
    workOf(value),
    workOf(value) === "rebooting.away" && context.misses === 0,
    context.intent?.action,
    context.job_id !== null,
    context.look !== null,
    context.ran,
    context.rebooted,
    context.retry?.why,
    context.attempts > 0,
    context.comm_tries > 2,
    context.settles > 6,
    context.cancel_asked !== null,
    context.retire_asked !== null,
    context.outcome?.verdict === "no_return"
  ])

it("reaches every state", { timeout: 120_000 }, () => {
  const map = getAdjacencyMap(hostMachine, { events: eventsFor, serializeState: reduced, limit: 100_000 })
  const places = new Set(Object.values(map).map(({ state }) => placeOf(state).work))
  expect([...places].sort()).toEqual([...WorkState.literals].sort())
})
