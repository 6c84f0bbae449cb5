/** What the rows about jobs, windows and people do again and again. */
import type { JobId } from "#core/Ids.ts"
import type { JobTarget } from "#sql/insertJob.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import type { World, WorldHost } from "#test/harness/World.ts"

export const APPLY = "POST /api/v1/patches/apply"
export const REBOOT = "POST /api/v1/system/reboot"

export const callsOf = (world: World, host: WorldHost, call: string): number =>
  world.fleet.view(host.address).calls[call] ?? 0

export const changesOf = (world: World, host: WorldHost) =>
  world.fleet.readLedger(host.address).filter((entry) => entry.operation !== "reboot")

export const rebootsOf = (world: World, host: WorldHost) =>
  world.fleet.readLedger(host.address).filter((entry) => entry.operation === "reboot" && entry.job_id !== null)

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

export interface Share {
  readonly host_id: string
  readonly wave: number
  readonly state: string
  readonly ended: boolean
  readonly deferrals: number
  readonly verdict: string | null
  readonly message: string | null
  readonly ran: boolean | null
  readonly waits_for: { readonly code: string; readonly at?: string; readonly job_number?: number } | null
}

export const shares = (world: World, job: JobId): Promise<ReadonlyArray<Share>> =>
  world.query<Share & Record<string, unknown>>(
    `select host_id, wave, state, ended, deferrals, waits_for, outcome->>'verdict' as verdict, outcome->>'message' as message,
       (outcome->>'ran')::boolean as ran
     from patch_job_hosts where job_id = $1 order by wave, id`,
    [job]
  )

export const shareOf = async (world: World, job: JobId, host: WorldHost): Promise<Share> =>
  (await shares(world, job)).find((share) => share.host_id === host.id)!

export const untilShare = (
  world: World,
  job: JobId,
  host: WorldHost,
  fits: (share: Share) => boolean,
  ms = 20_000
): Promise<Share> => until(() => shareOf(world, job, host), fits, ms)

export const jobEnds = async (world: World, job: JobId, ms = 30_000): Promise<string> => {
  const [row] = await until(
    () =>
      world.query<{ state: string; over: boolean }>(
        "select state, finished_at is not null as over from patch_jobs where id = $1",
        [job]
      ),
    ([found]) => found?.over === true,
    ms
  )
  return row!.state
}

export const allHealthy = (world: World) =>
  until(
    () => world.query<{ link: string }>("select link from host_snapshots where link <> 'healthy'"),
    (rows) => rows.length === 0,
    30_000
  )

/** The host's next run stands still at the agent until it is released. */
export const hold = (world: World, ...hosts: ReadonlyArray<WorldHost>): void => {
  for (const host of hosts) world.fleet.misbehave(host.address, { kind: "hold", at: "before_change", times: 1 })
}

export const untilHolding = (world: World, ...hosts: ReadonlyArray<WorldHost>) =>
  until(
    () => hosts.every((host) => world.fleet.view(host.address).holding),
    (held) => held,
    15_000
  )

export const target = (host: WorldHost, wave = 1, expected_seconds = 0): JobTarget => ({
  host_id: host.id,
  wave,
  planned: null,
  foretold: null,
  expected_seconds,
  parent_order_id: null,
  undone_agent_job_id: null
})
