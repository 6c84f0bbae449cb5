/** One row a host and day, collected from the first day because it cannot be collected afterwards. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { complianceClass } from "./complianceClass.ts"

/** Classes today's hosts. */
export const recordCompliance = Effect.fnUntraced(function* (securityTargetDays: number) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    insert into compliance_daily (day, host_id, class, pending, security, reboot_needed)
    select (now() at time zone 'UTC')::date, h.id, ${complianceClass(sql, securityTargetDays)},
      p.pending, p.security, h.reboot_needed
    from hosts h left join host_patch_data p on p.host_id = h.id
    where h.removed_at is null
    on conflict (day, host_id) do update set class = excluded.class, pending = excluded.pending,
      security = excluded.security, reboot_needed = excluded.reboot_needed, taken_at = now()`
})
