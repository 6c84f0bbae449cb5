/** Alarms: what somebody should look at, open until it is over. Never edited once landed. */
export const alarms = String.raw`
create table alarms (
  id bigint generated always as identity primary key,
  kind text not null,
  -- Null where it is about the manager itself.
  host_id uuid references hosts (id) on delete cascade,
  message text not null,
  raised_at timestamptz not null default now(),
  cleared_at timestamptz
);
-- However often it happens again: one open alarm of a kind for a host.
create unique index alarms_open on alarms (kind, host_id) nulls not distinct where cleared_at is null;
create index alarms_host on alarms (host_id);

-- The host was found with older packages than this order left.
alter table patch_job_hosts add column reverted_at timestamptz;
`
