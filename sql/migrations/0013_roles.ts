/** What the processes' database roles may do of their own accord, and which rows an operator's request sees. Never edited once landed. */

/** Rows of hosts in sight; `host` is a column of the table with the host's id. A host without a group is in everybody's sight. */
const inSight = (host: string): string => `(select scope_is_all()) or ((select scope_groups()) is not null and (
    not exists (select 1 from host_groups m where m.host_id = ${host})
    or exists (select 1 from host_groups m where m.host_id = ${host} and m.group_id = any ((select scope_groups())::uuid[]))))`

/** Each of these has its host in host_id. */
const ofHosts = [
  "host_health_data",
  "host_patch_data",
  "host_packages",
  "host_snapshots",
  "host_transitions",
  "host_timers",
  "host_intents",
  "host_requests",
  "host_bases",
  "patch_job_hosts",
  "compliance_daily"
]

/** With what a row belongs to: in sight is what belongs to something in sight. */
const byParent: ReadonlyArray<readonly [table: string, condition: string]> = [
  ["order_effects", "exists (select 1 from patch_job_hosts o where o.id = order_effects.order_id)"],
  ["job_snapshots", "exists (select 1 from patch_job_hosts o where o.job_id = job_snapshots.job_id)"],
  ["job_transitions", "exists (select 1 from patch_job_hosts o where o.job_id = job_transitions.job_id)"],
  ["job_timers", "exists (select 1 from patch_job_hosts o where o.job_id = job_timers.job_id)"],
  ["window_runs", "exists (select 1 from maintenance_windows w where w.id = window_runs.window_id)"]
]

/** Of a host or of a group: a group's reach every host in it, also one of somebody who is not in that group. */
const reaching = (
  table: string
): string => `(${table}.host_id is not null and exists (select 1 from hosts h where h.id = ${table}.host_id))
    or (${table}.group_id is not null and (${table}.group_id = any ((select scope_groups())::uuid[])
      or exists (select 1 from host_groups m join hosts h on h.id = m.host_id where m.group_id = ${table}.group_id)))`

const policy = (table: string, using: string): string => `
alter table ${table} enable row level security;
create policy in_sight on ${table} using (${using});
`

export const roles = String.raw`
-- Every connection says for whom it asks: 'all', or the groups of one operator as an array. Who says nothing sees nothing.
create function scope_is_all() returns boolean language sql stable parallel safe as $$
  select coalesce(current_setting('patch_manager.scope', true) = 'all', false)
$$;

create function scope_groups() returns uuid[] language sql stable parallel safe as $$
  select case when current_setting('patch_manager.scope', true) like '{%}'
    then current_setting('patch_manager.scope', true)::uuid[] end
$$;
${policy("hosts", inSight("hosts.id"))}
${ofHosts.map((table) => policy(table, inSight(`${table}.host_id`))).join("")}
${byParent.map(([table, condition]) => policy(table, `(select scope_is_all()) or ${condition}`)).join("")}
${policy("groups", "(select scope_is_all()) or groups.id = any ((select scope_groups())::uuid[])")}
-- Certificates of the manager itself, and alarms about it, belong to no host.
${policy("certificates", `(select scope_is_all()) or certificates.host_id is null or exists (select 1 from hosts h where h.id = certificates.host_id)`)}
${policy("alarms", `(select scope_is_all()) or (alarms.host_id is null and (select scope_groups()) is not null) or exists (select 1 from hosts h where h.id = alarms.host_id)`)}
${policy("holds", `(select scope_is_all()) or ((select scope_groups()) is not null and holds.target = 'all') or ${reaching("holds")}`)}
${policy("service_checks", `(select scope_is_all()) or ${reaching("service_checks")}`)}
${policy("maintenance_windows", `(select scope_is_all()) or ((select scope_groups()) is not null and maintenance_windows.scope = 'all') or ${reaching("maintenance_windows")}`)}
${policy("audit_log", "(select scope_is_all())")}
-- A job is made before its hosts' rows are; from then on it is in the sight of whoever sees one of them.
alter table patch_jobs enable row level security;
create policy in_sight on patch_jobs using ((select scope_is_all())
  or exists (select 1 from patch_job_hosts o where o.job_id = patch_jobs.id))
  with check ((select scope_is_all()) or (select scope_groups()) is not null);

-- What depends on all hosts of a job, whoever asks. Numbers alone leave these functions.
create function job_hosts_total(p_job uuid) returns int language sql stable
security definer set search_path = pg_catalog, public, pg_temp as $$
  select count(*)::int from patch_job_hosts where job_id = p_job
$$;

create function job_current_wave(p_job uuid) returns int language sql stable
security definer set search_path = pg_catalog, public, pg_temp as $$
  select min(wave) from patch_job_hosts where job_id = p_job and not ended
$$;

create function job_hosts_in(p_job uuid, p_states text[]) returns int language sql stable
security definer set search_path = pg_catalog, public, pg_temp as $$
  select count(*)::int from patch_job_hosts where job_id = p_job and not ended and state = any (p_states)
$$;

-- Which hosts have the name, the address or the machine of somebody who asks to join, also those out of sight.
create function hosts_in_the_way(p_fqdn text, p_address inet, p_machine text)
returns table (kind text, host_id uuid) language sql stable
security definer set search_path = pg_catalog, public, pg_temp as $$
  select k.kind, h.id from hosts h cross join lateral (
    values ('fqdn', h.fqdn = p_fqdn), ('address', h.address = p_address), ('machine_id', h.machine_id = p_machine)
  ) k(kind, found)
  where h.removed_at is null and k.found
$$;

-- The log is written by its owner alone, on behalf of whoever calls this.
alter function audit_append(text, text, text, text, text, text, jsonb, jsonb, text, text)
  security definer set search_path = pg_catalog, public, pg_temp;
alter function audit_prune(timestamptz, int) security definer set search_path = pg_catalog, public, pg_temp;

-- With which rights a worker runs, for whoever asks how the manager is.
alter table worker_heartbeat add column database_roles text not null default 'single'
  check (database_roles in ('separate', 'single'));
`
