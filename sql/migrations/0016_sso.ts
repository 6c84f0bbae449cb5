/** Sign-in through an identity provider. Never edited once landed. */
export const sso = String.raw`
-- Identity providers, Entra and others; the name is the original design's.
create table azure_sso_config (
  id uuid primary key,
  name text not null check (length(name) between 1 and 80),
  kind text not null check (kind in ('entra', 'oidc')),
  issuer text not null,
  -- Where set, the tid claim has to be this one, and people are known by their oid in it.
  tenant_id uuid,
  client_id text not null,
  -- Sealed; opened only to talk to the provider.
  client_secret bytea,
  scopes text[] not null,
  group_claim text not null,
  accepted_acr text[] not null default '{}',
  ca_certificate text,
  enabled boolean not null default false,
  -- What went wrong between us and the provider last; emptied by the next sign-in that works.
  last_failure jsonb,
  created_at timestamptz not null default now(),
  created_by text not null,
  version bigint not null default 1,
  constraint azure_sso_config_name unique (name)
);

-- What a group at the provider means here; null where it gives groups and no role.
create table sso_mappings (
  provider_id uuid not null references azure_sso_config (id) on delete cascade,
  provider_group text not null check (length(provider_group) between 1 and 256),
  position int not null,
  role text check (role in ('admin', 'operator', 'auditor')),
  primary key (provider_id, provider_group)
);

create table sso_mapped_groups (
  provider_id uuid not null,
  provider_group text not null,
  group_id uuid not null references groups (id) on delete cascade,
  primary key (provider_id, provider_group, group_id),
  foreign key (provider_id, provider_group) references sso_mappings (provider_id, provider_group) on delete cascade
);

-- A person at a provider. Never by mail address or user name: those are handed on to the next person.
create table external_identities (
  issuer text not null,
  -- Empty where the provider has no tenants.
  tenant text not null default '',
  -- With the claim it was taken from: 'oid:…' or 'sub:…'.
  subject text not null check (length(subject) between 5 and 300),
  user_id uuid not null references users (id) on delete cascade,
  provider_id uuid references azure_sso_config (id) on delete set null,
  created_at timestamptz not null default now(),
  last_sign_in_at timestamptz,
  primary key (issuer, tenant, subject)
);
create index external_identities_user on external_identities (user_id);

-- Sign-ins on their way. The nonce and the PKCE verifier are made from the browser's cookie, so no secret is here.
create table sso_sign_ins (
  state_hash bytea primary key,
  browser_hash bytea not null,
  provider_id uuid not null references azure_sso_config (id) on delete cascade,
  return_to text not null,
  -- The provider was asked to have the person prove again who he is.
  fresh boolean not null default false,
  expires_at timestamptz not null
);
create index sso_sign_ins_expiry on sso_sign_ins (expires_at);
`
