/** The second wall before requests to join that became hosts. Never edited once landed. */
export const enrolmentScope = String.raw`
-- What waits, was denied or ran out belongs to no group; what became a host is as visible as that host.
alter table enrolments enable row level security;
create policy in_sight on enrolments using ((select scope_is_all())
  or (enrolments.host_id is null and (select scope_groups()) is not null)
  or exists (select 1 from hosts h where h.id = enrolments.host_id));
`
