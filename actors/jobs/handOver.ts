/** Hands orders to their hosts, built from their rows and from what is held and checked on each host at this moment. */
import { Effect } from "effect"
import type { HeldPattern } from "#core/Hold.ts"
import type { HostId } from "#core/Ids.ts"
import type { Order } from "#core/Order.ts"
import { type OrderContents, type OrderFacts, readOrderContents } from "#sql/dispatchFacts.ts"
import { readActiveHolds } from "#sql/HoldStore.ts"
import type { StoredJob } from "#sql/JobSnapshotStore.ts"
import { readServiceChecks } from "#sql/ServiceCheckStore.ts"
import { HostSupervisor } from "../hosts/HostSupervisor.ts"
import { type JobHandle, touch } from "./JobHandle.ts"

export interface Candidate {
  readonly order: OrderFacts
  readonly closes_at: number | null
}

export const orderOf = (
  job: StoredJob,
  { order, closes_at }: Candidate,
  contents?: OrderContents,
  held: ReadonlyArray<HeldPattern> = [],
  services: ReadonlyArray<string> = []
): Order => ({
  id: order.order_id,
  job_id: job.id,
  kind: job.kind,
  selection: job.selection,
  packages: job.packages,
  planned: contents?.planned ?? null,
  on_change: job.on_change,
  pin_versions: job.pin_versions,
  held: [...new Set(held.map(({ pattern }) => pattern))],
  pre_check: job.pre_check,
  services,
  method: job.method,
  undone_agent_job_id: contents?.undone_agent_job_id ?? null,
  reboot: job.reboot,
  reboot_delay_seconds: job.reboot_delay_seconds,
  closes_at,
  expected_ms: order.expected_seconds * 1000,
  deferrals: order.deferrals
})

/** Returns at once; each host is looked at again when it has dealt with its order, taken or not. */
export const handOver = Effect.fnUntraced(function* (handle: JobHandle, candidates: ReadonlyArray<Candidate>) {
  if (candidates.length === 0) return
  const supervisor = yield* HostSupervisor
  const { job, handing } = handle
  const hosts: ReadonlyArray<HostId> = candidates.map(({ order }) => order.host_id)
  const [contents, holds, services] = yield* Effect.all(
    [
      readOrderContents(candidates.map(({ order }) => order.order_id)),
      readActiveHolds(hosts),
      readServiceChecks(hosts)
    ],
    { concurrency: "unbounded" }
  )
  for (const candidate of candidates) {
    const { host_id, order_id } = candidate.order
    const order = orderOf(job, candidate, contents.get(order_id), holds.get(host_id) ?? [], services.get(host_id) ?? [])
    handing.add(host_id)
    yield* supervisor.deliver(host_id, { type: "order", order, by: job.requested_by }).pipe(
      Effect.ensuring(
        Effect.sync(() => {
          handing.delete(host_id)
          touch(handle, [host_id])
        })
      ),
      Effect.forkChild
    )
  }
})
