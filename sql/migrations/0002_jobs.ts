/** Jobs with windows, waves, limits, plans and rollback. Never edited once landed. */
export const jobs = String.raw`
alter table patch_jobs drop constraint patch_jobs_kind_check;
alter table patch_jobs add constraint patch_jobs_kind check (kind in
  ('patch_apply', 'package_install', 'package_update', 'package_remove', 'reboot', 'rollback'));
alter table patch_jobs
  -- As it was asked for: hosts, a group or a filter. The hosts themselves are frozen in patch_job_hosts.
  add column target jsonb not null default '{"kind":"hosts"}',
  add column run_when jsonb not null default '{"kind":"immediate"}',
  add column packages jsonb not null default '[]',
  add column method text check (method in ('agent', 'versions')),
  add column pre_check jsonb not null default '{"degraded":"go","unknown":"go"}',
  add column on_change text not null default 'take' check (on_change in ('stop', 'take')),
  add column pin_versions boolean not null default false,
  add column ignore_blackout boolean not null default false,
  -- Hosts in each wave, in order; empty is one wave.
  add column waves jsonb not null default '[]',
  -- The job stops when more than so many hosts have failed or turned unhealthy.
  add column max_failed int check (max_failed >= 0),
  add column plan_hash text,
  -- What a window was too short for runs in the next one, until the job expires.
  add column carries_over boolean not null default false,
  add column expires_at timestamptz,
  add column paused_by text,
  add column stopped_reason text,
  -- For a job that a window's automatic apply made.
  add column window_id uuid,
  add column window_opens_at timestamptz;
create index patch_jobs_parent on patch_jobs (parent_job_id) where parent_job_id is not null;

alter table patch_job_hosts
  add column wave int not null default 1 check (wave >= 1),
  -- Changes as planned, names and versions; null where nothing was known when the job was made.
  add column planned jsonb,
  -- What the plan said beforehand besides the changes: reboot, undo, start.
  add column foretold jsonb,
  add column expected_seconds int not null default 0,
  add column parent_order_id uuid references patch_job_hosts (id) on delete set null,
  -- For rollback by the agent: its job to undo.
  add column undone_agent_job_id text,
  add column deferrals int not null default 0,
  -- Why the dispatcher did not start it when it last looked.
  add column waits_for jsonb;
create index patch_job_hosts_started on patch_job_hosts (host_id, finished_at desc) where started_at is not null;

-- All packages before the run, and every one whose version the run changed, dependencies included.
create table order_effects (
  order_id uuid primary key references patch_job_hosts (id) on delete cascade,
  packages_before jsonb not null,
  effects jsonb,
  taken_at timestamptz not null default now()
);

alter table host_intents drop constraint host_intents_action_check;
alter table host_intents add constraint host_intents_action check (action in
  ('apply', 'install', 'update', 'remove', 'rollback', 'reboot'));
`
