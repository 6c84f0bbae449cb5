/** Maintenance windows, and what became of their openings. Never edited once landed. */
export const windows = String.raw`
create table maintenance_windows (
  id uuid primary key,
  name text not null check (length(name) between 1 and 100),
  kind text not null check (kind in ('open', 'blackout')),
  -- scope says what was meant, so that no missing id can turn a blackout of one host into one of all.
  scope text not null check (scope in ('host', 'group', 'all')),
  host_id uuid references hosts (id) on delete cascade,
  group_id uuid references groups (id) on delete cascade,
  rule jsonb not null,
  time_zone text not null,
  duration_minutes int not null check (duration_minutes between 1 and 527040),
  blackout_dates jsonb not null default '[]',
  auto_apply jsonb,
  enabled boolean not null default true,
  -- Openings before this moment were another rule's.
  watched_since timestamptz not null default now(),
  created_by text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  version bigint not null default 1,
  constraint maintenance_windows_scope check
    ((scope = 'host') = (host_id is not null) and (scope = 'group') = (group_id is not null)),
  constraint maintenance_windows_kind check
    (case kind when 'open' then scope <> 'all' and duration_minutes <= 10080 else auto_apply is null end)
);
create index maintenance_windows_name on maintenance_windows (name, id);
create index maintenance_windows_host on maintenance_windows (host_id) where host_id is not null;
create index maintenance_windows_group on maintenance_windows (group_id) where group_id is not null;

-- One row an opening of a window with automatic apply: the key is what makes it fire once.
create table window_runs (
  window_id uuid not null references maintenance_windows (id) on delete cascade,
  opens_at timestamptz not null,
  closes_at timestamptz not null,
  outcome text not null check (outcome in ('fired', 'missed', 'nothing', 'refused')),
  job_id uuid references patch_jobs (id) on delete set null,
  hosts int not null default 0,
  note text not null,
  decided_at timestamptz not null default now(),
  primary key (window_id, opens_at)
);
create index window_runs_job on window_runs (job_id) where job_id is not null;
`
