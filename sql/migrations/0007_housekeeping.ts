/** The lease that a standby can take over, base snapshots behind which old transitions go, and the log's retention. Never edited once landed. */
export const housekeeping = String.raw`
-- A standby takes over when the counter has not moved for a while by its own steady clock; database time decides nothing here.
alter table worker_lease add column renewals bigint not null default 0;
alter table worker_lease add column renewed_at timestamptz not null default now();

-- Given back in order; otherwise the next worker asks whose work its predecessor died of.
alter table worker_lease add column released boolean not null default true;
alter table worker_lease add column blamed_order uuid;
alter table worker_lease add column deaths int not null default 0;

alter table worker_heartbeat add column role text not null default 'active' check (role in ('active', 'standby'));
-- How far the database's clock was ahead of that machine's.
alter table worker_heartbeat add column clock_skew_ms bigint not null default 0;

-- A host's snapshot as it stood at one version, so that older transitions can go and a replay starts here.
create table host_bases (
  host_id uuid not null references hosts (id) on delete cascade,
  version bigint not null,
  machine_version int not null,
  value jsonb not null,
  context jsonb not null,
  taken_at timestamptz not null default now(),
  primary key (host_id, version)
);
create index host_bases_taken on host_bases (taken_at);
create index host_transitions_at on host_transitions (at);
create index patch_jobs_finished on patch_jobs (finished_at) where finished_at is not null;

-- The last row that was pruned: verification of the chain starts from its hash.
create table audit_anchor (
  only_row boolean primary key default true check (only_row),
  seq bigint not null,
  row_hash bytea not null,
  pruned_at timestamptz not null default now()
);
insert into audit_anchor (seq, row_hash) values (0, decode(repeat('00', 32), 'hex'));

-- Deletes only from the front, only what is older than six months, and only through audit_prune.
create or replace function audit_is_append_only() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and current_setting('patch_manager.audit_prune', true) = 'on' then
    return null;
  end if;
  raise exception 'audit_log is append-only' using errcode = 'insufficient_privilege';
end
$$;

create function audit_prune(p_before timestamptz, p_limit int) returns bigint language plpgsql as $$
declare
  last audit_log;
  gone bigint;
begin
  if p_before > now() - interval '180 days' then
    raise exception 'audit rows are kept for at least 180 days' using errcode = 'insufficient_privilege';
  end if;
  -- The chain must keep a row: its head is compared with the last one.
  select * into last from (
    select a.* from audit_log a where a.at < p_before and a.seq < (select seq from audit_head)
    order by a.seq limit p_limit
  ) oldest order by seq desc limit 1;
  if last.seq is null then
    return 0;
  end if;
  perform set_config('patch_manager.audit_prune', 'on', true);
  delete from audit_log where seq <= last.seq;
  get diagnostics gone = row_count;
  perform set_config('patch_manager.audit_prune', 'off', true);
  update audit_anchor set seq = last.seq, row_hash = last.row_hash, pruned_at = now();
  return gone;
end
$$;
`
