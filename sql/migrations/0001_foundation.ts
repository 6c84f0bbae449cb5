/** The first migration: every table of the foundation. Never edited once landed. */
export const foundation = String.raw`
-- Times are database time. Ids are UUIDv7 made by the program. Text with CHECK instead of enum types.

create table system_config (
  key text primary key,
  value jsonb not null,
  updated_at timestamptz not null default now()
);

-- People ------------------------------------------------------------------------------------------------------------

create table users (
  id uuid primary key,
  username text not null check (username = lower(username) and length(username) between 1 and 64),
  display_name text not null,
  role text not null check (role in ('admin', 'operator', 'auditor')),
  password_hash text,
  must_change_password boolean not null default false,
  disabled_at timestamptz,
  created_at timestamptz not null default now(),
  version bigint not null default 1,
  constraint users_username unique (username)
);

create table groups (
  id uuid primary key,
  name text not null,
  description text not null default '',
  created_at timestamptz not null default now(),
  version bigint not null default 1,
  constraint groups_name unique (name)
);

create table user_groups (
  user_id uuid not null references users (id) on delete cascade,
  group_id uuid not null references groups (id) on delete cascade,
  primary key (user_id, group_id)
);

-- A family is one sign-in; each refresh replaces its token, and a token used twice ends the family.
create table refresh_tokens (
  token_hash bytea primary key,
  family_id uuid not null,
  user_id uuid not null references users (id) on delete cascade,
  issued_at timestamptz not null default now(),
  expires_at timestamptz not null,
  signed_in_at timestamptz not null,
  used_at timestamptz,
  revoked_at timestamptz,
  source_address inet,
  user_agent text not null default ''
);
create index refresh_tokens_family on refresh_tokens (family_id);
create index refresh_tokens_user on refresh_tokens (user_id);

create table api_tokens (
  id uuid primary key,
  user_id uuid not null references users (id) on delete cascade,
  name text not null,
  token_hash bytea not null unique,
  permissions text[] not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  last_used_at timestamptz,
  revoked_at timestamptz
);

create table ws_tickets (
  ticket_hash bytea primary key,
  user_id uuid not null references users (id) on delete cascade,
  permissions text[] not null,
  expires_at timestamptz not null,
  used_at timestamptz
);

create table idempotency_keys (
  user_id uuid not null references users (id) on delete cascade,
  key text not null check (length(key) between 1 and 255),
  request_hash bytea not null,
  status int not null,
  response jsonb not null,
  created_at timestamptz not null default now(),
  primary key (user_id, key)
);

-- Hosts -------------------------------------------------------------------------------------------------------------

create table hosts (
  id uuid primary key,
  fqdn text check (fqdn = lower(fqdn)),
  display_name text not null,
  address inet not null,
  agent_port int not null default 12443 check (agent_port between 1 and 65535),
  bound_fingerprint text,
  trust_generation int not null default 0,
  os text,
  os_version text,
  kernel text,
  architecture text,
  agent_version text,
  package_format text not null default 'other' check (package_format in ('deb', 'rpm', 'other')),
  reboot_needed boolean,
  registered_at timestamptz not null default now(),
  registered_by text not null,
  last_seen_at timestamptz,
  removal_requested_at timestamptz,
  removed_at timestamptz,
  version bigint not null default 1
);
create unique index hosts_address on hosts (address, agent_port) where removed_at is null;
create unique index hosts_fqdn on hosts (fqdn) where removed_at is null and fqdn is not null;
create index hosts_name on hosts (display_name, id) where removed_at is null;

create table host_groups (
  host_id uuid not null references hosts (id) on delete cascade,
  group_id uuid not null references groups (id) on delete cascade,
  primary key (host_id, group_id)
);

create table host_health_data (
  host_id uuid primary key references hosts (id) on delete cascade,
  health text check (health in ('healthy', 'degraded')),
  reason text,
  uptime_seconds double precision,
  answer jsonb,
  polled_at timestamptz,
  failure_kind text,
  failure_message text,
  failed_at timestamptz,
  next_poll_at timestamptz
);

-- One row a host: the list as last read.
create table host_patch_data (
  host_id uuid primary key references hosts (id) on delete cascade,
  patches jsonb not null,
  pending int not null,
  security int not null,
  oldest_security_at timestamptz,
  content_hash bytea not null,
  changed_at timestamptz not null default now(),
  read_at timestamptz not null default now()
);

create table host_packages (
  host_id uuid primary key references hosts (id) on delete cascade,
  packages jsonb not null,
  total int not null,
  content_hash bytea not null,
  changed_at timestamptz not null default now(),
  read_at timestamptz not null default now()
);

create table certificates (
  id uuid primary key,
  kind text not null check (kind in ('authority', 'manager', 'web', 'host')),
  host_id uuid references hosts (id) on delete set null,
  subject text not null,
  serial text not null,
  fingerprint_sha256 text not null,
  certificate_pem text not null,
  not_before timestamptz not null,
  not_after timestamptz not null,
  issued_at timestamptz not null default now(),
  issued_by text not null,
  revoked_at timestamptz
);
create index certificates_host on certificates (host_id, issued_at desc);

-- Machines ----------------------------------------------------------------------------------------------------------

-- Written from the machines' definitions at migration; the transition tables refer to it.
create table allowed_transitions (
  machine text not null,
  version int not null,
  region text not null,
  from_state text not null,
  event text not null,
  to_state text not null,
  primary key (machine, version, region, from_state, event, to_state)
);

-- The worker that holds the advisory lock raises the epoch; a commit with an older epoch is refused.
create table worker_lease (
  name text primary key,
  epoch bigint not null,
  holder text not null,
  taken_at timestamptz not null default now()
);
insert into worker_lease (name, epoch, holder) values ('worker', 0, 'nobody');

create table worker_heartbeat (
  worker_id text primary key,
  epoch bigint not null,
  started_at timestamptz not null default now(),
  beat_at timestamptz not null default now(),
  pid int not null,
  program_version text not null
);

create table host_snapshots (
  host_id uuid primary key references hosts (id) on delete cascade,
  machine_version int not null,
  version bigint not null,
  link text not null,
  work text not null,
  summary text not null,
  value jsonb not null,
  context jsonb not null,
  parked_reason text,
  since timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index host_snapshots_summary on host_snapshots (summary);

create table host_transitions (
  host_id uuid not null references hosts (id) on delete cascade,
  version bigint not null,
  machine text not null default 'host' check (machine = 'host'),
  machine_version int not null,
  at timestamptz not null default now(),
  event_type text not null,
  event jsonb not null,
  from_link text not null,
  to_link text not null,
  from_work text not null,
  to_work text not null,
  order_id uuid,
  link_region text generated always as (case when from_link <> to_link then 'link' end) stored,
  work_region text generated always as (case when from_work <> to_work then 'work' end) stored,
  primary key (host_id, version),
  foreign key (machine, machine_version, link_region, from_link, event_type, to_link)
    references allowed_transitions (machine, version, region, from_state, event, to_state),
  foreign key (machine, machine_version, work_region, from_work, event_type, to_work)
    references allowed_transitions (machine, version, region, from_state, event, to_state)
);

create table host_timers (
  host_id uuid not null references hosts (id) on delete cascade,
  id text not null,
  due_at timestamptz not null,
  armed_version bigint not null,
  primary key (host_id, id)
);

create table host_intents (
  id text primary key,
  host_id uuid not null references hosts (id) on delete cascade,
  order_id uuid not null,
  action text not null check (action in ('apply', 'reboot')),
  baseline jsonb,
  opened_version bigint not null,
  opened_at timestamptz not null default now(),
  closed_version bigint,
  verdict text check (verdict in ('ran', 'no_effect', 'abandoned'))
);
create unique index one_open_intent on host_intents (host_id) where verdict is null;

-- What people ask of a host; the worker takes it and the host's machine decides.
create table host_requests (
  id uuid primary key,
  host_id uuid not null references hosts (id) on delete cascade,
  event jsonb not null,
  created_at timestamptz not null default now()
);

-- Jobs --------------------------------------------------------------------------------------------------------------

create table patch_jobs (
  id uuid primary key,
  number bigint generated always as identity unique,
  kind text not null check (kind in ('patch_apply', 'reboot')),
  state text not null default 'queued' check (state in
    ('queued', 'waiting', 'running', 'paused', 'succeeded', 'partially_failed', 'failed', 'cancelled')),
  selection jsonb not null,
  reboot text not null check (reboot in ('never', 'if_needed', 'always')),
  reboot_delay_seconds int not null default 0 check (reboot_delay_seconds between 0 and 86400),
  on_busy text not null default 'queue' check (on_busy in ('queue', 'refuse')),
  max_concurrency int not null default 32 check (max_concurrency between 1 and 1000),
  notes text not null default '',
  requested_by text not null,
  cancel_requested_by text,
  parent_job_id uuid references patch_jobs (id),
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz
);
create index patch_jobs_open on patch_jobs (created_at) where finished_at is null;

create table patch_job_hosts (
  id uuid primary key,
  job_id uuid not null references patch_jobs (id) on delete cascade,
  host_id uuid not null references hosts (id) on delete cascade,
  state text not null default 'queued' check (state in
    ('queued', 'waiting', 'dispatching', 'running', 'verifying', 'rebooting', 'uncertain',
     'succeeded', 'failed', 'deferred', 'cancelled')),
  ended boolean not null default false,
  outcome jsonb,
  agent_job_id text,
  log jsonb not null default '[]',
  progress_percent int not null default 0,
  started_at timestamptz,
  finished_at timestamptz,
  constraint patch_job_hosts_once unique (job_id, host_id)
);
create unique index one_open_job_per_host on patch_job_hosts (host_id)
  where state in ('dispatching', 'running', 'verifying', 'rebooting', 'uncertain') and not ended;
create index patch_job_hosts_host on patch_job_hosts (host_id, id desc);
create index patch_job_hosts_waiting on patch_job_hosts (job_id, id) where not ended;

create table job_snapshots (
  job_id uuid primary key references patch_jobs (id) on delete cascade,
  machine_version int not null,
  version bigint not null,
  state text not null,
  value jsonb not null,
  context jsonb not null,
  updated_at timestamptz not null default now()
);

create table job_transitions (
  job_id uuid not null references patch_jobs (id) on delete cascade,
  version bigint not null,
  machine text not null default 'job' check (machine = 'job'),
  machine_version int not null,
  at timestamptz not null default now(),
  event_type text not null,
  event jsonb not null,
  from_state text not null,
  to_state text not null,
  region text generated always as (case when from_state <> to_state then 'job' end) stored,
  primary key (job_id, version),
  foreign key (machine, machine_version, region, from_state, event_type, to_state)
    references allowed_transitions (machine, version, region, from_state, event, to_state)
);

create table job_timers (
  job_id uuid not null references patch_jobs (id) on delete cascade,
  id text not null,
  due_at timestamptz not null,
  armed_version bigint not null,
  primary key (job_id, id)
);

-- Feed --------------------------------------------------------------------------------------------------------------

-- Identity order is not commit order: a reader takes only rows whose transaction is below every running one.
create table change_feed (
  seq bigint generated always as identity primary key,
  xid xid8 not null default pg_current_xact_id(),
  at timestamptz not null default now(),
  topic text not null check (topic in ('host', 'job', 'job_host')),
  host_id uuid,
  job_id uuid,
  version bigint
);
create index change_feed_order on change_feed (xid, seq);

-- Upkeep ------------------------------------------------------------------------------------------------------------

create table compliance_daily (
  day date not null,
  host_id uuid not null references hosts (id) on delete cascade,
  class text not null check (class in ('compliant', 'not_compliant', 'unknown')),
  pending int,
  security int,
  reboot_needed boolean,
  taken_at timestamptz not null default now(),
  primary key (day, host_id)
);

-- Audit -------------------------------------------------------------------------------------------------------------

create table audit_log (
  seq bigint primary key,
  at timestamptz not null,
  actor_kind text not null check (actor_kind in ('user', 'token', 'machine', 'anonymous')),
  actor_id text not null,
  actor_name text not null,
  action text not null,
  object_type text not null,
  object_id text not null,
  before jsonb,
  after jsonb,
  request_id text not null,
  source_address text not null,
  prev_hash bytea not null,
  row_hash bytea not null
);
create index audit_log_object on audit_log (object_type, object_id, seq desc);

create table audit_head (
  only_row boolean primary key default true check (only_row),
  seq bigint not null,
  row_hash bytea not null
);
insert into audit_head (seq, row_hash) values (0, decode(repeat('00', 32), 'hex'));

-- Canonical form: each field as its UTF-8 length in bytes, a colon and its bytes; null is "-". See docs/audit.md.
create function audit_field(value text) returns text language sql immutable parallel safe as $$
  select case when value is null then '-' else octet_length(value)::text || ':' || value end
$$;

create function audit_canonical(entry audit_log) returns bytea language sql stable as $$
  select convert_to(
    audit_field(entry.seq::text)
    || audit_field(to_char(entry.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
    || audit_field(entry.actor_kind) || audit_field(entry.actor_id) || audit_field(entry.actor_name)
    || audit_field(entry.action) || audit_field(entry.object_type) || audit_field(entry.object_id)
    || audit_field(entry.before::text) || audit_field(entry.after::text)
    || audit_field(entry.request_id) || audit_field(entry.source_address)
    || audit_field(encode(entry.prev_hash, 'hex')), 'UTF8')
$$;

-- The only way into audit_log. Takes the head's lock, so call it last in a transaction.
create function audit_append(
  p_actor_kind text, p_actor_id text, p_actor_name text, p_action text, p_object_type text, p_object_id text,
  p_before jsonb, p_after jsonb, p_request_id text, p_source_address text
) returns bigint language plpgsql as $$
declare
  head audit_head;
  entry audit_log;
begin
  select * into strict head from audit_head for update;
  entry.seq := head.seq + 1;
  entry.at := clock_timestamp();
  entry.actor_kind := p_actor_kind;
  entry.actor_id := p_actor_id;
  entry.actor_name := p_actor_name;
  entry.action := p_action;
  entry.object_type := p_object_type;
  entry.object_id := p_object_id;
  entry.before := p_before;
  entry.after := p_after;
  entry.request_id := p_request_id;
  entry.source_address := p_source_address;
  entry.prev_hash := head.row_hash;
  entry.row_hash := sha256(audit_canonical(entry));
  insert into audit_log values (entry.*);
  update audit_head set seq = entry.seq, row_hash = entry.row_hash;
  return entry.seq;
end
$$;

create function audit_is_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'audit_log is append-only' using errcode = 'insufficient_privilege';
end
$$;
create trigger audit_log_append_only before update or delete or truncate on audit_log
  for each statement execute function audit_is_append_only();
`
