/**
 * I9 by a second computation: every change that was begun for a job that keeps to windows lies in a window of its host by
 * the database's time, and none lies in a blackout. The calendar is the tests' own, over zone files, not the product's.
 */
import type { WindowRule } from "#core/Window.ts"
import { openingsOf } from "#test/core/window/secondOpinion.ts"
import { readEras } from "#test/core/window/zoneFiles.ts"
import type { World } from "#test/harness/World.ts"

interface Begun {
  readonly id: string
  readonly host_id: string
  readonly at: number
  readonly keeps: boolean
  readonly blackouts: boolean
}

interface WindowRow {
  readonly kind: "open" | "blackout"
  readonly scope: "host" | "group" | "all"
  readonly host_id: string | null
  readonly group_id: string | null
  readonly rule: WindowRule
  readonly time_zone: string
  readonly duration_minutes: number
  readonly blackout_dates: ReadonlyArray<string>
  readonly made_at: number
}

/** From the decision to the commit of what is about to be sent. */
const SLACK_SECONDS = 2
const DAY = 86_400

const dayOf = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 10)

const covers = (
  { rule, time_zone, duration_minutes, blackout_dates }: WindowRow,
  at: number,
  slack: number
): boolean => {
  const length = duration_minutes * 60
  const eras = readEras(time_zone, new Date((at + 2 * DAY) * 1000).getUTCFullYear())
  const openings = openingsOf(rule, eras, dayOf(at - length - 2 * DAY), dayOf(at + 2 * DAY), blackout_dates)
  return openings.some((opens) => opens <= at + slack && at < opens + length + slack)
}

/** Windows that were edited or deleted meanwhile cannot be looked at any more, so such a world is not judged. */
export const windowsHeld = async ({ query }: Pick<World, "query">): Promise<ReadonlyArray<string>> => {
  const begun = await query<Begun & Record<string, unknown>>(
    `select n.id, n.host_id, extract(epoch from n.opened_at)::float8 as at, j.run_when->>'kind' <> 'immediate' as keeps,
       not j.ignore_blackout as blackouts
     from host_intents n join patch_job_hosts o on o.id = n.order_id join patch_jobs j on j.id = o.job_id
     where (j.run_when->>'kind' <> 'immediate' or exists (select 1 from maintenance_windows w where w.kind = 'blackout'))
       and not exists (select 1 from audit_log a where a.action in ('window.edit', 'window.delete'))`
  )
  if (begun.length === 0) return []
  const windows = await query<WindowRow & Record<string, unknown>>(
    `select kind, scope, host_id, group_id, rule, time_zone, duration_minutes, blackout_dates,
       extract(epoch from created_at)::float8 as made_at
     from maintenance_windows where enabled`
  )
  const groups = await query<{ host_id: string; group_id: string }>("select host_id, group_id from host_groups")
  const of = (host: string, kind: WindowRow["kind"], scope: WindowRow["scope"]) =>
    windows.filter(
      (window) =>
        window.kind === kind &&
        window.scope === scope &&
        (scope === "all" ||
          window.host_id === host ||
          groups.some((group) => group.host_id === host && group.group_id === window.group_id))
    )
  return begun.flatMap(({ id, host_id, at, keeps, blackouts }) => {
    const own = of(host_id, "open", "host")
    const open = own.length > 0 ? own : of(host_id, "open", "group")
    const closed = (["host", "group", "all"] as const).flatMap((scope) => of(host_id, "blackout", scope))
    const when = new Date(at * 1000).toISOString()
    return [
      ...(keeps && !open.some((window) => covers(window, at, SLACK_SECONDS))
        ? [`host ${host_id} was sent ${id} at ${when}, outside of its windows`]
        : []),
      ...(blackouts &&
      closed.some((window) => window.made_at < at - SLACK_SECONDS && covers(window, at, -SLACK_SECONDS))
        ? [`host ${host_id} was sent ${id} at ${when}, in a blackout`]
        : [])
    ]
  })
}
