/** Discovery. Never edited once landed. */
export const discovery = String.raw`
create table discovery_scans (
  id uuid primary key,
  cidr text not null,
  port int not null check (port between 1 and 65535),
  state text not null default 'queued' check (state in
    ('queued', 'running', 'done', 'cancelled', 'interrupted', 'failed')),
  addresses_total int not null check (addresses_total between 1 and 1024),
  addresses_probed int not null default 0,
  message text,
  requested_by text not null,
  worker_epoch bigint,
  cancel_requested_at timestamptz,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  -- Written with every progress; a running scan whose progress stands still has lost its worker.
  progress_at timestamptz,
  finished_at timestamptz
);
create unique index one_open_discovery on discovery_scans ((true)) where state in ('queued', 'running');

create table discovery_results (
  scan_id uuid not null references discovery_scans (id) on delete cascade,
  address inet not null,
  verdict text not null check (verdict in
    ('agent', 'agent_other_certificate', 'other_service', 'closed', 'no_answer')),
  -- From a certificate of our own authority, so neither can be made up by the machine that answered.
  fqdn text,
  host_id uuid,
  primary key (scan_id, address)
);
`
