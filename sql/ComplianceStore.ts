/** One row a host and day, collected from the first day because it cannot be collected afterwards. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/**
 * Classes today's hosts. Compliant: reported within 24 h, no security patch older than the target, no reboot owed.
 * Unknown is a class of its own and never counts as compliant.
 */
export const recordCompliance = Effect.fnUntraced(function* (securityTargetDays: number) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    insert into compliance_daily (day, host_id, class, pending, security, reboot_needed)
    select (now() at time zone 'UTC')::date, h.id,
      case
        when h.last_seen_at is null or h.last_seen_at < now() - interval '24 hours' or p.host_id is null
          or p.read_at < now() - interval '24 hours' then 'unknown'
        when p.oldest_security_at < now() - ${securityTargetDays} * interval '1 day' or h.reboot_needed then 'not_compliant'
        else 'compliant'
      end,
      p.pending, p.security, h.reboot_needed
    from hosts h left join host_patch_data p on p.host_id = h.id
    where h.removed_at is null
    on conflict (day, host_id) do update set class = excluded.class, pending = excluded.pending,
      security = excluded.security, reboot_needed = excluded.reboot_needed, taken_at = now()`
})
