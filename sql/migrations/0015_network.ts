/** Which addresses may come in, which proxies are believed and which networks agents may be in. Never edited once landed. */
export const network = String.raw`
-- One row. What "policy" says counts; where "confirm_by" stands, "previous" comes back then unless the change is confirmed before.
create table network_access (
  only_row boolean primary key default true check (only_row),
  version bigint not null default 0,
  policy jsonb not null,
  previous jsonb,
  confirm_by timestamptz,
  changed_by text not null default '',
  changed_at timestamptz not null default now(),
  check ((previous is null) = (confirm_by is null))
);
insert into network_access (policy) values
  ('{"allowed_networks": [], "trusted_proxies": [], "agent_networks": [], "confirm_seconds": 120}');
`
