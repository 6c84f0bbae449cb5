/** Windows as rows, for hosts of a small world. Windows open at whole minutes, so these have been open or closed for a while. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { HostId, WindowId } from "#core/Ids.ts"
import { deleteWindow, insertWindow } from "#sql/WindowStore.ts"
import type { World } from "#test/harness/World.ts"

const minute = 60_000

/** On the clocks of UTC, to the minute. */
const local = (at: number): string => new Date(at).toISOString().slice(0, 16)

/** Opened `openedMinutesAgo` minutes ago (negative: opens in the future) and is open for `minutes`. */
export const addWindow = (
  world: World,
  host: HostId,
  openedMinutesAgo: number,
  minutes: number,
  kind: "open" | "blackout" = "open"
): Promise<WindowId> =>
  world.run(
    Effect.flatMap(SqlClient.SqlClient, (sql) =>
      sql.withTransaction(
        Effect.map(
          insertWindow(world.caller, {
            name: `${kind} of ${host}`,
            kind,
            scope: { kind: "host", host_id: host },
            rule: { kind: "once", starts_on_local: local(Date.now() - openedMinutesAgo * minute) },
            time_zone: "UTC",
            duration_minutes: minutes
          }),
          ({ answer }) => answer.id
        )
      )
    )
  )

export const removeWindow = (world: World, id: WindowId): Promise<void> => world.run(deleteWindow(world.caller, id))
