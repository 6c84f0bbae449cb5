/** Sessions as rows of their own: how far somebody got in signing in, and when he last proved who he is. Never edited once landed. */
export const sessions = String.raw`
create table sessions (
  id uuid primary key,
  user_id uuid not null references users (id) on delete cascade,
  stage text not null check (stage in ('password', 'enrolling', 'full')),
  factor text check (factor in ('totp', 'passkey', 'recovery_code', 'sso', 'sealed', 'machine')),
  signed_in_at timestamptz not null default now(),
  stepped_up_at timestamptz,
  last_active_at timestamptz not null default now(),
  ended_at timestamptz,
  end_reason text,
  -- The session that took this one's place when its owner proved who he is.
  replaced_by uuid,
  source_address inet,
  user_agent text not null default '',
  constraint sessions_factor check ((stage = 'full') = (factor is not null)),
  constraint sessions_stepped_up check (stage = 'full' or stepped_up_at is null),
  constraint sessions_end check ((ended_at is null) = (end_reason is null))
);
create index sessions_open on sessions (user_id, signed_in_at desc) where ended_at is null;
create index sessions_signed_in on sessions (signed_in_at desc, id desc) where ended_at is null;
create index sessions_ended on sessions (ended_at) where ended_at is not null;

-- Sessions from before second factors count for nothing: everybody signs in again.
update refresh_tokens set revoked_at = now() where revoked_at is null;
insert into sessions (id, user_id, stage, signed_in_at, last_active_at, ended_at, end_reason, source_address, user_agent)
select distinct on (family_id) family_id, user_id, 'password', signed_in_at, issued_at, now(), 'second_factor_introduced',
  source_address, user_agent
from refresh_tokens order by family_id, issued_at desc;
alter table refresh_tokens drop column signed_in_at;
alter table refresh_tokens drop column expires_at;
alter table refresh_tokens add constraint refresh_tokens_session
  foreign key (family_id) references sessions (id) on delete cascade;

-- When a session ends if its owner does nothing more. A half-done sign-in is short-lived; the emergency account's is half a shift.
create function session_expires_at(session sessions) returns timestamptz language sql stable as $$
  select least(
    session.last_active_at + case
      when exists (select 1 from system_config where key = 'pci_profile' and value = 'true'::jsonb) then interval '15 minutes'
      else interval '1 hour'
    end,
    session.signed_in_at + case
      when session.stage = 'password' or session.factor = 'machine' then interval '15 minutes'
      when session.stage = 'enrolling' then interval '1 hour'
      when session.factor = 'sealed' then interval '4 hours'
      else interval '12 hours'
    end)
$$;

-- A ticket opens one socket, for the session or the API token that asked for it.
delete from ws_tickets;
alter table ws_tickets add column session_id uuid references sessions (id) on delete cascade;
alter table ws_tickets add column token_id uuid references api_tokens (id) on delete cascade;
alter table ws_tickets add constraint ws_tickets_holder check ((session_id is null) <> (token_id is null));

-- Groups a token is bounded to, within what its owner sees; null for no bounds of its own.
alter table api_tokens add column group_ids uuid[];
create index api_tokens_user on api_tokens (user_id, created_at desc);

-- Public halves only. The private key lies in a file of the web process; see docs/decisions/0029.
create table signing_keys (
  kid text primary key check (length(kid) = 43),
  public_key_pem text not null,
  created_at timestamptz not null default now(),
  -- From then on nothing signed with it counts; null for the key in use.
  ends_at timestamptz
);
`
