/** What tests of jobs ask of a small world. */
import type { JobId } from "#core/Ids.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import type { World, WorldHost } from "#test/harness/World.ts"

export const REST = ["succeeded", "partially_failed", "failed", "cancelled"]

/** POST /patches/apply calls that reached the host. */
export const sent = (world: World, host: WorldHost): number =>
  Object.entries(world.fleet.view(host.address).calls)
    .filter(([call]) => call.startsWith("POST") && call.endsWith("/patches/apply"))
    .reduce((sum, [, count]) => sum + count, 0)

export const applied = (world: World, host: WorldHost) =>
  world.fleet.readLedger(host.address).filter((entry) => entry.operation === "patchapply")

export const stateOf = async (world: World, job: JobId) =>
  (await world.query<{ state: string }>("select state from patch_jobs where id = $1", [job]))[0]!.state

export const ends = (world: World, job: JobId, deadline = 20_000) =>
  until(
    () => stateOf(world, job),
    (state) => REST.includes(state),
    deadline
  )

export interface Share {
  readonly host_id: string
  readonly state: string
  readonly ended: boolean
  readonly outcome: { readonly verdict: string; readonly message: string } | null
  readonly waits_for: { readonly code: string } | null
  readonly deferrals: number
  readonly wave: number
}

export const shares = (world: World, job: JobId) =>
  world.query<Share & Record<string, unknown>>(
    "select host_id, state, ended, outcome, waits_for, deferrals, wave from patch_job_hosts where job_id = $1 order by wave, id",
    [job]
  )
