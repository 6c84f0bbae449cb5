/** The job of a window's automatic apply, planned like a person's from what is known when the window opens. */
import { Effect } from "effect"
import { type HostId, UserId } from "#core/Ids.ts"
import { defaultPreCheck } from "#core/Order.ts"
import { makePlan } from "#core/plan/makePlan.ts"
import type { PlanJob } from "#core/plan/PlanFacts.ts"
import { Permission } from "#core/Permission.ts"
import type { Principal } from "#core/User.ts"
import type { AutoApply, MaintenanceWindow } from "#core/Window.ts"
import type { Firing } from "#core/window/firings.ts"
import { insertJobRows, makeJobOrder } from "#sql/insertJob.ts"
import { readPlanHosts } from "#sql/PlanStore.ts"

/** A policy sees every host: its window says which ones it is about. */
const policy = (window: MaintenanceWindow): Principal => ({
  kind: "user",
  user_id: UserId.make(window.id),
  username: policyName(window),
  role: "admin",
  permissions: new Set(Permission.literals),
  group_ids: [],
  session_id: null,
  token: null
})

/** Who asked for the job. */
export const policyName = (window: Pick<MaintenanceWindow, "name">): string => `policy:window ${window.name}`

/** The job with its hosts; null where none of them is there any more. Call inside a transaction, audit after it. */
export const applyWindow = Effect.fnUntraced(function* (
  window: MaintenanceWindow,
  apply: AutoApply,
  firing: Firing,
  now: number
) {
  const job: PlanJob = {
    kind: "patch_apply",
    when: { kind: "next_window" },
    selection: apply.selection,
    packages: [],
    method: null,
    reboot: apply.reboot,
    max_concurrency: apply.max_concurrency,
    waves: [],
    max_failed: null,
    on_change: apply.on_change,
    pin_versions: false,
    pre_check: defaultPreCheck,
    ignore_blackout: false,
    expires_at: firing.ends_at
  }
  const found = yield* readPlanHosts({
    principal: policy(window),
    kind: job.kind,
    host_ids: firing.host_ids,
    names: apply.selection.kind === "packages" ? apply.selection.names : [],
    undone_job_id: null
  })
  const staying = found.filter((host) => !host.leaving)
  if (staying.length === 0) return null
  const plans = makePlan(job, staying, now)
  const hosts: ReadonlyArray<HostId> = plans.map(({ shown }) => shown.host_id)
  const order = makeJobOrder({
    ...job,
    reboot_delay_seconds: apply.reboot_delay_seconds,
    expires_at: new Date(firing.ends_at).toISOString(),
    window: { id: window.id, opens_at: new Date(firing.opens_at).toISOString() },
    notes: `Made when the window “${window.name}” opened.`,
    hosts: plans.map(({ shown, planned }) => ({
      host_id: shown.host_id,
      wave: shown.wave,
      planned,
      foretold: shown,
      expected_seconds: shown.expected_seconds,
      parent_order_id: null,
      undone_agent_job_id: null
    }))
  })
  return { job_id: yield* insertJobRows(policyName(window), order), hosts }
})
