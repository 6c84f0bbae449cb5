/** What people decide about hosts and groups of hosts: holds and service checks. Never edited once landed. */
export const groups = String.raw`
create index host_groups_group on host_groups (group_id, host_id);
create index user_groups_group on user_groups (group_id);

-- target says what was meant, so that no missing id can turn a hold on one host into a hold on all of them.
create table holds (
  id uuid primary key,
  target text not null check (target in ('host', 'group', 'all')),
  host_id uuid references hosts (id) on delete cascade,
  group_id uuid references groups (id) on delete cascade,
  pattern text not null check (pattern ~ '^[a-zA-Z0-9*][a-zA-Z0-9*+._-]{0,255}$'),
  reason text not null check (length(reason) between 1 and 500),
  until_at timestamptz,
  created_at timestamptz not null default now(),
  created_by text not null,
  ended_at timestamptz,
  ended_by text,
  version bigint not null default 1,
  constraint holds_target check ((target = 'host') = (host_id is not null) and (target = 'group') = (group_id is not null))
);
create index holds_host on holds (host_id) where host_id is not null;
create index holds_group on holds (group_id) where group_id is not null;
create index holds_open on holds (id) where ended_at is null;

-- Either of a host or of a group; a host's own replace its groups'.
create table service_checks (
  host_id uuid references hosts (id) on delete cascade,
  group_id uuid references groups (id) on delete cascade,
  services text[] not null check (cardinality(services) between 1 and 5),
  constraint service_checks_of_one check (num_nonnulls(host_id, group_id) = 1),
  constraint service_checks_host unique (host_id),
  constraint service_checks_group unique (group_id)
);
`
