/** Checkpoints of the audit log and what its verification found. Never edited once landed. */
export const audit = String.raw`
-- Names this installation in its checkpoints and exports.
insert into system_config (key, value) values ('installation_id', to_jsonb(gen_random_uuid()::text)) on conflict do nothing;

create index audit_log_at on audit_log (at);

-- Public halves only. What counts as trusted is the worker's file of public keys, not this table.
create table audit_keys (
  key_id text primary key,
  public_key_pem text not null,
  first_used_at timestamptz not null default now()
);

-- "With this many rows the last one had this hash", signed by the worker. The file outside holds the same lines.
create table audit_checkpoints (
  size bigint primary key check (size > 0),
  row_hash bytea not null,
  origin text not null,
  -- As it was signed: ISO 8601 with milliseconds.
  signed_at text not null,
  -- SHA-256 of the signed text of the checkpoint before; 32 zero bytes for the first.
  previous bytea not null,
  key_id text not null,
  signature bytea not null
);

-- What the worker last saw when it compared the log with the checkpoints outside; one row.
create table audit_watch (
  only_row boolean primary key default true check (only_row),
  checked_at timestamptz,
  outside_file text,
  outside_size bigint,
  independent boolean not null default false,
  independence_reason text not null default 'No worker has reported yet.',
  syslog_target text,
  syslog_sent_at timestamptz,
  syslog_failure text
);
insert into audit_watch default values;

create table audit_verifications (
  id uuid primary key,
  cause text not null check (cause in ('periodic', 'request')),
  requested_by text not null,
  requested_at timestamptz not null default now(),
  state text not null default 'queued' check (state in ('queued', 'running', 'passed', 'failed', 'cancelled')),
  started_at timestamptz,
  finished_at timestamptz,
  cancel_requested_at timestamptz,
  -- The head when it began: rows appended meanwhile belong to the next run.
  head_seq bigint,
  rows_total bigint not null default 0,
  rows_done bigint not null default 0,
  -- Where a worker that takes over goes on.
  progress jsonb,
  findings jsonb not null default '[]',
  notices jsonb not null default '[]',
  checkpoints_checked bigint not null default 0
);
create unique index audit_verifications_open on audit_verifications ((true)) where state in ('queued', 'running');
create index audit_verifications_requested on audit_verifications (requested_at desc);

-- Pruning stops at a checkpoint, whose hash and number the anchor then has.
alter table audit_anchor add column checkpoint_signature bytea;

-- What is to be told outside of the console; whoever delivers it marks it.
create table if not exists outbox (
  id bigint generated always as identity primary key,
  kind text not null,
  body jsonb not null,
  created_at timestamptz not null default now(),
  due_at timestamptz not null default now(),
  attempts int not null default 0,
  delivered_at timestamptz
);
create index if not exists outbox_due on outbox (due_at) where delivered_at is null;

-- Refused sign-ins by source and minute: the first hundred have rows of their own, the rest one row together. Calls that a role does
-- not allow are counted apart, with 'refused ' before the address.
create table audit_sign_in_minutes (
  source_address text not null,
  minute timestamptz not null,
  failures int not null,
  primary key (source_address, minute)
);

create function audit_sign_in_failure(
  p_actor_kind text, p_actor_id text, p_actor_name text, p_action text, p_object_type text, p_object_id text,
  p_before jsonb, p_after jsonb, p_request_id text, p_source_address text
) returns bigint language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  counted int;
begin
  insert into audit_sign_in_minutes as m (source_address, minute, failures)
  values (p_source_address, date_trunc('minute', clock_timestamp()), 1)
  on conflict (source_address, minute) do update set failures = m.failures + 1
  returning failures into counted;
  if counted > 100 then
    return null;
  end if;
  return audit_append(p_actor_kind, p_actor_id, p_actor_name, p_action, p_object_type, p_object_id, p_before, p_after,
    p_request_id, p_source_address);
end
$$;

create function audit_refusal(
  p_actor_kind text, p_actor_id text, p_actor_name text, p_action text, p_object_type text, p_object_id text,
  p_before jsonb, p_after jsonb, p_request_id text, p_source_address text
) returns bigint language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  counted int;
begin
  insert into audit_sign_in_minutes as m (source_address, minute, failures)
  values ('refused ' || p_source_address, date_trunc('minute', clock_timestamp()), 1)
  on conflict (source_address, minute) do update set failures = m.failures + 1
  returning failures into counted;
  if counted > 100 then
    return null;
  end if;
  return audit_append(p_actor_kind, p_actor_id, p_actor_name, p_action, p_object_type, p_object_id, p_before, p_after,
    p_request_id, p_source_address);
end
$$;

-- One row for each source whose minute is over and had more than a hundred; the counts of that minute go.
create function audit_flush_sign_in_failures() returns int language plpgsql
security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  one record;
  written int := 0;
begin
  for one in
    delete from audit_sign_in_minutes where ctid in (
      select ctid from audit_sign_in_minutes where minute < date_trunc('minute', clock_timestamp()) - interval '5 seconds'
      order by minute, source_address limit 1000 for update skip locked)
    returning source_address, minute, failures
  loop
    if one.failures > 100 then
      perform audit_append('anonymous', '-', '-',
        case when one.source_address like 'refused %' then 'access.refused_many' else 'session.sign_in_failed_many' end,
        'source', regexp_replace(one.source_address, '^refused ', ''), null,
        jsonb_build_object('minute', to_char(one.minute at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'),
          'failures', one.failures, 'recorded_singly', 100, 'recorded_here', one.failures - 100),
        'aggregated', regexp_replace(one.source_address, '^refused ', ''));
      written := written + 1;
    end if;
  end loop;
  return written;
end
$$;

-- Who looked at the log when: at most one row a minute for a user.
create table audit_reads (
  user_id uuid primary key references users (id) on delete cascade,
  recorded_at timestamptz not null default now()
);

create or replace function audit_prune(p_before timestamptz, p_limit int) returns bigint language plpgsql
security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  point audit_checkpoints;
  gone bigint;
begin
  if p_before > now() - interval '180 days' then
    raise exception 'audit rows are kept for at least 180 days' using errcode = 'insufficient_privilege';
  end if;
  -- Up to the last checkpoint before the first row that stays; the head's own row never goes.
  select c.* into point from audit_checkpoints c join audit_log a on a.seq = c.size and a.row_hash = c.row_hash
  where c.size < (select seq from audit_head)
    and c.size < coalesce((select min(y.seq) from audit_log y where y.at >= p_before), (select seq from audit_head))
    and c.size <= (select seq from audit_anchor) + greatest(p_limit, 1000)
  order by c.size desc limit 1;
  if point.size is null then
    return 0;
  end if;
  perform set_config('patch_manager.audit_prune', 'on', true);
  delete from audit_log where seq <= point.size;
  get diagnostics gone = row_count;
  perform set_config('patch_manager.audit_prune', 'off', true);
  update audit_anchor set seq = point.size, row_hash = point.row_hash, checkpoint_signature = point.signature, pruned_at = now();
  delete from audit_checkpoints where size < point.size;
  return gone;
end
$$;
`
