/** Replays a host's events, from its oldest base or else the initial state, through `step` alone and compares with what is stored. */
import { Result, Schema } from "effect"
import { HostEvent } from "#core/HostEvent.ts"
import type { StoredVersion } from "#machines/makeStep.ts"
import { initialStep, persist, placeOf, restore, step } from "#machines/step.ts"
import type { World } from "./World.ts"

const decode = Schema.decodeUnknownSync(HostEvent)

export interface Replayed {
  readonly stored: unknown
  readonly replayed: unknown
}

/** Both snapshots; the stored columns are read first and nulled before the replay in a copy of their own. */
export const replayHost = async (world: World, hostId: string): Promise<Replayed> => {
  const [row] = await world.query<{ value: unknown; context: unknown; link: string; work: string; version: string }>(
    "select value, context, link, work, version from host_snapshots where host_id = $1",
    [hostId]
  )
  const events = await world.query<{ event: unknown }>(
    "select event from host_transitions where host_id = $1 order by version",
    [hostId]
  )
  const [base] = await world.query<StoredVersion & { version: string }>(
    `select b.machine_version, b.value, b.context, b.version from host_bases b
     where b.host_id = $1 and b.version < (select min(t.version) from host_transitions t where t.host_id = b.host_id)
     order by b.version desc limit 1`,
    [hostId]
  )
  let snapshot = base ? Result.getOrThrow(restore(base)) : Result.getOrThrow(initialStep()).snapshot
  for (const { event } of events) snapshot = Result.getOrThrow(step(snapshot, decode(event))).snapshot
  const { value, context } = persist(snapshot)
  const { link, work } = placeOf(snapshot)
  return {
    stored: row,
    replayed: JSON.parse(
      JSON.stringify({ value, context, link, work, version: String(Number(base?.version ?? 0) + events.length) })
    )
  }
}
