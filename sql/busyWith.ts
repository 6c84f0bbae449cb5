/** Which job has a host, in one place for the dispatcher, the plan and the reasons. */
import type { SqlClient, Statement } from "effect/sql"
import { openJobHostStates, unstartedJobHostStates } from "#core/JobState.ts"

/**
 * The number of the job at work on the host, or of an older one that takes it as soon as it is free; null where none does.
 * Names columns of the statement around it, in which `s` is the host's snapshot; an order and a job of `null` ask for any.
 * An older job that waits for its window, its time or its wave does not count: it could not have the host now.
 */
export const busyWith = (
  sql: SqlClient.SqlClient,
  columns: { readonly host: string; readonly order: string; readonly jobNumber: string }
): Statement.Fragment => {
  const [host, order, number] = [columns.host, columns.order, columns.jobNumber].map((name) => sql.literal(name))
  return sql`coalesce(
    (select b.number::int from patch_job_hosts p join patch_jobs b on b.id = p.job_id
      where p.host_id = ${host!} and p.id is distinct from ${order!} and not p.ended
        and p.state = any(${openJobHostStates}::text[]) and s.work <> 'unresolved'
      limit 1),
    (select min(b.number)::int from patch_job_hosts p join patch_jobs b on b.id = p.job_id
      where p.host_id = ${host!} and not p.ended and p.state = any(${unstartedJobHostStates}::text[])
        and (${number!} is null or b.number < ${number!}) and b.finished_at is null
        and (p.waits_for is null or p.waits_for->>'code' = 'blocked_by_job')))`
}
