/** Enrolments. Never edited once landed. */
export const enrolments = String.raw`
-- Known of hosts that enrolled themselves. A machine that is installed anew has another one.
alter table hosts add column machine_id text check (machine_id ~ '^[0-9a-f]{32}$');
create unique index hosts_machine on hosts (machine_id) where removed_at is null and machine_id is not null;

create table enrolments (
  id uuid primary key,
  state text not null default 'pending' check (state in ('pending', 'approved', 'denied', 'expired')),
  machine_id text not null check (machine_id ~ '^[0-9a-f]{32}$'),
  fqdn text not null check (fqdn = lower(fqdn)),
  address inet not null,
  hostname text,
  os_details jsonb not null default '{}',
  -- Where the request came from, as the network says it, beside what the machine says of itself.
  source_address text not null,
  -- SHA-256 of the polling token, as hexadecimal digits; the token itself is kept nowhere.
  token_hash text not null unique check (token_hash ~ '^[0-9a-f]{64}$'),
  -- Public key derived from the token: what is sealed to it opens with the token alone.
  bundle_key bytea not null check (octet_length(bundle_key) = 32),
  attempts int not null default 1,
  created_at timestamptz not null default now(),
  asked_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '24 hours',
  decided_at timestamptz,
  decided_by text,
  host_id uuid references hosts (id) on delete set null,
  certificate_id uuid references certificates (id) on delete set null,
  -- Certificate and private key, sealed; cleared when they can no longer be fetched.
  bundle bytea,
  first_fetched_at timestamptz,
  fetches int not null default 0,
  -- The host was looked at again after its agent had time to start with its certificate.
  nudged boolean not null default false,
  check ((bundle is null) or state = 'approved')
);
create index enrolments_machine on enrolments (machine_id) where state = 'pending';
create index enrolments_state on enrolments (state, id);
create index enrolments_due on enrolments (expires_at) where state = 'pending' or bundle is not null;
`
