/** Replays a host's events from the initial state through `step` alone and compares with what is stored. */
import { Result, Schema } from "effect"
import { HostEvent } from "#core/HostEvent.ts"
import { initialStep, persist, placeOf, step } from "#machines/step.ts"
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
  let snapshot = Result.getOrThrow(initialStep()).snapshot
  for (const { event } of events) snapshot = Result.getOrThrow(step(snapshot, decode(event))).snapshot
  const { value, context } = persist(snapshot)
  const { link, work } = placeOf(snapshot)
  return {
    stored: row,
    replayed: JSON.parse(JSON.stringify({ value, context, link, work, version: String(events.length) }))
  }
}
