/**
 * What a host counts as today, from `hosts h` and `host_patch_data p`. Compliant: reported within 24 h, no security patch
 * older than the target, and no reboot owed. What cannot be known is unknown, never compliant: agents before 2.5.5 cannot
 * tell whether a reboot is owed.
 */
import type { SqlClient } from "effect/sql"

export const complianceClass = (sql: SqlClient.SqlClient, securityTargetDays: number) => sql`
  case
    when h.last_seen_at is null or h.last_seen_at < now() - interval '24 hours' or p.host_id is null
      or p.read_at < now() - interval '24 hours' then 'unknown'
    when p.oldest_security_at < now() - ${securityTargetDays}::int * interval '1 day' or h.reboot_needed
      then 'not_compliant'
    when h.reboot_needed is null then 'unknown'
    else 'compliant'
  end`
