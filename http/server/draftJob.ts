/** A job with everything decided and planned, before it is shown as a plan or made. */
import { createHash } from "node:crypto"
import { Effect } from "effect"
import { Conflict, refuseField } from "#core/Errors.ts"
import type { HostId, JobId } from "#core/Ids.ts"
import type { NewJob } from "#core/Job.ts"
import { defaultPreCheck } from "#core/Order.ts"
import { type HostPlan, makePlanner, toPlan, workFirst } from "#core/plan/makePlan.ts"
import type { PlanHost, PlanJob } from "#core/plan/PlanFacts.ts"
import { planDifferences, planText } from "#core/plan/planText.ts"
import { resolveErrorLimit, resolveWaves } from "#core/plan/waves.ts"
import { makeWindowMoments } from "#core/plan/windowMoment.ts"
import type { Caller } from "#core/User.ts"
import { databaseNow } from "#sql/Database.ts"
import { readClockSkew } from "#sql/HeartbeatStore.ts"
import type { JobOrder, JobTarget } from "#sql/insertJob.ts"
import { missingHosts, type FrozenTarget } from "#sql/planTargets.ts"
import { readPlanHosts } from "#sql/PlanStore.ts"
import { SeenPlans } from "./SeenPlans.ts"

const DAY = 86_400_000
/** What no window had room for is given up after this. */
const EXPIRES_AFTER = 31 * DAY
const MOST_DIFFERENCES = 20
const HOSTS_AT_ONCE = 100

export type JobWish = Pick<
  NewJob,
  | "when"
  | "reboot"
  | "reboot_delay_seconds"
  | "on_busy"
  | "max_concurrency"
  | "waves"
  | "error_limit"
  | "on_change"
  | "pin_versions"
  | "pre_check"
  | "ignore_blackout"
  | "notes"
  | "plan_hash"
  | "selection"
  | "packages"
> & {
  readonly kind: JobOrder["kind"]
  readonly method: JobOrder["method"]
  /** The job that this one follows. */
  readonly parent_job_id: JobId | null
}

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex")

/** A moment that lies outside of a host's windows would never come for it. */
const refuseOutside = (job: PlanJob, hosts: Effect.Success<ReturnType<typeof readPlanHosts>>) => {
  const { when } = job
  if (when.kind !== "at") return Effect.void
  const moments = makeWindowMoments()
  const outside = hosts.filter((host) => moments(host.windows, Date.parse(when.at)).open === null)
  if (outside.length === 0) return Effect.void
  const shown = outside.slice(0, 3).map((host) => host.host_name)
  const more = outside.length > shown.length ? ` and ${outside.length - shown.length} more` : ""
  return Effect.fail(
    refuseField(
      "payload.when.at",
      `This moment lies outside of the windows of ${shown.join(", ")}${more}. Choose another, or leave these hosts out.`
    )
  )
}

/** Everything decided: the plan for people, and the job as it would be made. */
const planAll = Effect.fnUntraced(function* (job: PlanJob, hosts: ReadonlyArray<PlanHost>, at: number, skew: number) {
  const planner = makePlanner(job, at, skew)
  const plans: Array<HostPlan> = []
  for (const host of hosts) {
    // Ten thousand hosts take a second, in which others want to be answered too.
    if (plans.length % HOSTS_AT_ONCE === 0) yield* Effect.yieldNow
    plans.push(planner(host))
  }
  return plans
})

export const draftJob = Effect.fnUntraced(function* (caller: Caller, frozen: FrozenTarget, wish: JobWish) {
  const { host_ids, target } = frozen
  const at = yield* databaseNow
  const when = wish.when ?? { kind: "next_window" }
  const waves = resolveWaves(wish.waves ?? [], host_ids.length)
  const max_failed = resolveErrorLimit(wish.error_limit, host_ids.length)
  const packages = wish.packages ?? []
  const selection = wish.selection ?? { kind: "all" }
  const job: PlanJob = {
    kind: wish.kind,
    when,
    selection,
    packages,
    method: wish.method,
    reboot: wish.kind === "reboot" ? "always" : (wish.reboot ?? "never"),
    max_concurrency: wish.max_concurrency ?? 32,
    waves,
    max_failed,
    on_change: wish.on_change ?? "stop",
    pin_versions: wish.pin_versions ?? false,
    pre_check: wish.pre_check ?? defaultPreCheck,
    ignore_blackout: wish.ignore_blackout ?? false,
    expires_at: when.kind === "immediate" ? null : at + EXPIRES_AFTER
  }
  const found = yield* readPlanHosts({
    principal: caller.principal,
    kind: job.kind,
    host_ids,
    names: [...packages.map(({ name }) => name), ...(selection.kind === "packages" ? selection.names : [])],
    undone_job_id: job.kind === "rollback" ? wish.parent_job_id : null
  })
  if (found.length < host_ids.length) {
    const known = new Set<HostId>(found.map((host) => host.host_id))
    return yield* missingHosts(host_ids.filter((id) => !known.has(id)))
  }
  yield* refuseOutside(job, found)
  const skew = yield* readClockSkew
  // A canary on which nothing happens would prove nothing, so hosts without work come last.
  const hosts = job.waves.length > 1 ? workFirst(found, yield* planAll({ ...job, waves: [] }, found, at, skew)) : found
  const plans = yield* planAll(job, hosts, at, skew)
  const text = planText(plans.map(({ shown }) => shown))
  const plan = toPlan(job, plans, at, hashOf(text))
  const seen = yield* SeenPlans
  if (wish.plan_hash !== undefined && wish.plan_hash !== plan.hash) {
    const before = seen.find(wish.plan_hash)
    const names = new Map<string, string>(hosts.map((host) => [host.host_id, host.host_name]))
    const differences =
      before === undefined ? [] : planDifferences(before, text, (id) => names.get(id) ?? id, MOST_DIFFERENCES)
    const what = differences.length > 0 ? ` ${differences[0]}` : ""
    return yield* new Conflict({
      code: "plan_changed",
      message: `The plan is another one than you looked at.${what} Look at it again.`,
      details: { differences, plan_hash: plan.hash }
    })
  }
  const order: JobOrder = {
    ...job,
    target,
    reboot_delay_seconds: wish.reboot_delay_seconds ?? 0,
    on_busy: wish.on_busy ?? "queue",
    plan_hash: plan.hash,
    carries_over: when.kind === "next_window",
    expires_at: job.expires_at === null ? null : new Date(job.expires_at).toISOString(),
    window: null,
    parent_job_id: wish.parent_job_id,
    notes: wish.notes ?? "",
    hosts: plans.map(({ shown, planned }, index): JobTarget => {
      const undone = hosts[index]?.undone ?? null
      return {
        host_id: shown.host_id,
        wave: shown.wave,
        planned,
        foretold: shown,
        expected_seconds: shown.expected_seconds,
        parent_order_id: undone?.order_id ?? null,
        undone_agent_job_id: job.method === "agent" ? (undone?.agent_job_id ?? null) : null
      }
    })
  }
  return { plan, text, order, hosts }
})
