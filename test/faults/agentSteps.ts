/** What the rows about agents do again and again; evidence comes from the stand-ins and from SQL alone. */
import { expect } from "vitest"
import type { JobId } from "#core/Ids.ts"
import { requestRefresh } from "#sql/HostStore.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import type { WorkerStart, World, WorldHost } from "#test/harness/World.ts"
import type { Row } from "./row.ts"

/** A worker in this process, stopped before anything is looked for that was left behind. */
export const startWorker = async (row: Row, world: World, start?: WorkerStart): Promise<void> =>
  row.after((await world.startWorker(start)).stop)

export const allAnswer = (world: World, deadline = 30_000) =>
  until(
    () =>
      world.query<{ n: number }>(
        "select count(*)::int as n from host_snapshots where link not in ('healthy', 'degraded')"
      ),
    (rows) => rows[0]?.n === 0,
    deadline
  )

/** Everything of every host has been read. */
export const allRead = (world: World, deadline = 30_000) =>
  until(
    () => world.query<{ n: number }>("select count(*)::int as n from host_packages"),
    (rows) => rows[0]?.n === world.hosts.length,
    deadline
  )

export interface Ended {
  readonly host: string
  readonly state: string
  readonly verdict: string
  readonly message: string
  readonly agent_job_id: string | null
}

const endings = (world: World, job: JobId) =>
  world.query<Ended & { ended: boolean }>(
    `select host_id as host, state, ended, outcome->>'verdict' as verdict, outcome->>'message' as message, agent_job_id
     from patch_job_hosts where job_id = $1`,
    [job]
  )

/** Every host of the job has come to an end, or to a state that waits for a person. */
export const ended = async (world: World, job: JobId, deadline = 40_000): Promise<ReadonlyArray<Ended>> =>
  until(
    () => endings(world, job),
    (rows) => rows.length > 0 && rows.every((row) => row.verdict !== null),
    deadline
  )

export interface Step {
  readonly version: number
  readonly event: string
  readonly from: string
  readonly to: string
  readonly from_link: string
  readonly to_link: string
  readonly at_ms: number
}

export const steps = (world: World, host: WorldHost): Promise<Array<Step>> =>
  world.query<Step & Record<string, unknown>>(
    `select version::int as version, event_type as event, from_work as from, to_work as to, from_link, to_link,
       extract(epoch from at)::float8 * 1000 as at_ms
     from host_transitions where host_id = $1 order by version`,
    [host.id]
  )

export const intents = (world: World, host: WorldHost) =>
  world.query<{ id: string; action: string; verdict: string | null }>(
    "select id, action, verdict from host_intents where host_id = $1 order by opened_at, id",
    [host.id]
  )

/** Operations of one kind that really took effect on the machine that was first at this address. */
export const applied = (world: World, host: WorldHost, operation = "patchapply") =>
  world.fleet.readLedger(host.address).filter((entry) => entry.operation === operation)

export const calls = (world: World, host: WorldHost, call: string): number =>
  world.fleet.view(host.address).calls[call] ?? 0

export const APPLY = "POST /api/v1/patches/apply"

export const place = async (world: World, host: WorldHost) =>
  (
    await world.query<{ link: string; work: string; context: Record<string, unknown>; parked: string | null }>(
      "select link, work, context, parked_reason as parked from host_snapshots where host_id = $1",
      [host.id]
    )
  )[0]!

export const health = async (world: World, host: WorldHost) =>
  (
    await world.query<{ kind: string | null; message: string | null }>(
      "select failure_kind as kind, failure_message as message from host_health_data where host_id = $1",
      [host.id]
    )
  )[0] ?? { kind: null, message: null }

export const refresh = (world: World, host: WorldHost) => world.run(requestRefresh(world.caller, host.id))

/** Looks at the host again and again until its page says this. */
export const pollsAs = async (world: World, host: WorldHost, kind: string | null, deadline = 20_000) => {
  await refresh(world, host)
  return until(
    () => health(world, host),
    (row) => row.kind === kind,
    deadline
  )
}

export const publish = (world: World, hosts: ReadonlyArray<WorldHost>): void => {
  for (const host of hosts) world.fleet.publish(host.address)
}

/** The order of a host's calls, from the last baseline on, without their prefix. */
export const callsOf = (world: World, host: WorldHost): ReadonlyArray<string> =>
  world.fleet.seenBy(host.address).journal.map(({ call }) => call.replace("/api/v1", ""))

/** Between two posts the host's jobs and its packages were asked for. */
export const expectAskedBetweenPosts = (world: World, host: WorldHost): void => {
  const all = callsOf(world, host)
  const posts = all.flatMap((call, index) => (call === "POST /patches/apply" ? [index] : []))
  for (const [n, from] of posts.entries()) {
    const until = posts[n + 1]
    if (until === undefined) continue
    const between = all.slice(from + 1, until)
    expect(between.filter((call) => call === "GET /jobs").length).toBeGreaterThanOrEqual(2)
    expect(between.filter((call) => call === "GET /packages").length).toBeGreaterThanOrEqual(2)
  }
}

export const percentile = (values: ReadonlyArray<number>, share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export interface AlarmRow {
  readonly kind: string
  readonly message: string
  readonly cleared: boolean
}

export const alarms = (world: World, host: WorldHost | null): Promise<Array<AlarmRow>> =>
  world.query<AlarmRow & Record<string, unknown>>(
    `select kind, message, cleared_at is not null as cleared from alarms
     where host_id is not distinct from $1::uuid order by raised_at`,
    [host?.id ?? null]
  )
