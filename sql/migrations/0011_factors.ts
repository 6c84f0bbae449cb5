/** What somebody proves who he is with: passwords, one-time codes, passkeys, recovery codes. Never edited once landed. */
export const factors = String.raw`
-- A break-glass account ends four hours after its first use; from then on it counts as disabled.
alter table users add column expires_at timestamptz;
alter table users add column password_changed_at timestamptz not null default now();

-- Hashes of earlier passwords, for the PCI profile's rule on reuse: the last four, and any replaced within 90 days, 24 at most.
create table password_history (
  user_id uuid not null references users (id) on delete cascade,
  replaced_at timestamptz not null default clock_timestamp(),
  password_hash text not null,
  primary key (user_id, replaced_at)
);
-- For every way to change a password; a hash made anew of the same password leaves password_changed_at alone.
create function keep_password_history() returns trigger language plpgsql as $$
begin
  insert into password_history (user_id, password_hash) values (old.id, old.password_hash);
  delete from password_history h using (
    select replaced_at, row_number() over (order by replaced_at desc) as place
    from password_history where user_id = old.id
  ) ranked
  where h.user_id = old.id and h.replaced_at = ranked.replaced_at
    and (ranked.place > 24 or (ranked.place > 4 and h.replaced_at < now() - interval '90 days'));
  return null;
end
$$;
create trigger keep_password_history after update of password_changed_at on users for each row
  when (old.password_hash is not null and old.password_changed_at is distinct from new.password_changed_at)
  execute function keep_password_history();

-- One for an account name, known or not, and one for an address. Hashes of one length, so that no name and no key of any size is kept.
create table sign_in_failures (
  key_hash bytea primary key check (octet_length(key_hash) = 32),
  kind text not null check (kind in ('account', 'address')),
  failures int not null check (failures >= 0),
  last_failed_at timestamptz not null default now(),
  blocked_until timestamptz
);
create index sign_in_failures_last on sign_in_failures (last_failed_at);

-- For how long the next try has to wait: from the fifth failure of a name and the twentieth of an address 30 seconds, doubled each
-- time up to 15 minutes; in the PCI profile 30 minutes for a name from the tenth on.
create function sign_in_pause(kind text, failures int) returns interval language sql stable as $$
  select case
    when kind = 'account' and failures >= 10
      and exists (select 1 from system_config where key = 'pci_profile' and value = 'true'::jsonb) then interval '30 minutes'
    when failures >= free.tries then make_interval(secs => least(900, 30 * 2 ^ least(failures - free.tries, 5)))
  end
  from (select case kind when 'account' then 5 else 20 end as tries) free
$$;

-- Counts a try as failed before it is looked at, so that tries at the same time cannot share one count. Null while tries wait.
-- A name's failures are forgotten after a quiet day, an address loses one a minute.
create function count_sign_in_try(p_kind text, p_key_hash bytea) returns int language sql as $$
  insert into sign_in_failures as f (key_hash, kind, failures, last_failed_at) values (p_key_hash, p_kind, 1, now())
  on conflict (key_hash) do update set (failures, last_failed_at, blocked_until) = (
    select n, now(), now() + sign_in_pause(p_kind, n)
    from (select 1 + case
      when p_kind = 'account' then case when f.last_failed_at < now() - interval '24 hours' then 0 else f.failures end
      else greatest(0, f.failures - floor(extract(epoch from now() - f.last_failed_at) / 60)::int)
    end as n) counted)
  where f.blocked_until is null or f.blocked_until <= now()
  returning failures
$$;

-- The secret is sealed with the row's id as associated data; see http/server/ColumnCipher.ts.
create table totp_secrets (
  id uuid primary key,
  user_id uuid not null references users (id) on delete cascade,
  secret_sealed bytea not null,
  created_at timestamptz not null default now(),
  -- Null until a first code has shown that the authenticator app has it.
  confirmed_at timestamptz,
  -- The time step of the last code that was taken; each step counts once.
  last_step bigint not null default 0
);
create unique index totp_secrets_confirmed on totp_secrets (user_id) where confirmed_at is not null;
create unique index totp_secrets_pending on totp_secrets (user_id) where confirmed_at is null;

create table passkeys (
  id uuid primary key,
  user_id uuid not null references users (id) on delete cascade,
  name text not null check (length(name) between 1 and 64),
  credential_id bytea not null unique,
  -- COSE_Key, RFC 9052.
  public_key bytea not null,
  sign_count bigint not null,
  transports text[] not null default '{}',
  created_at timestamptz not null default now(),
  last_used_at timestamptz
);
create index passkeys_user on passkeys (user_id);

-- Each is taken once, within five minutes, by the session or the browser it was given to.
create table webauthn_challenges (
  challenge_hash bytea primary key,
  purpose text not null check (purpose in ('registration', 'second_factor', 'first_factor')),
  session_id uuid,
  browser_hash bytea,
  expires_at timestamptz not null,
  check ((session_id is null) <> (browser_hash is null))
);
create index webauthn_challenges_expires on webauthn_challenges (expires_at);

create table recovery_codes (
  user_id uuid not null references users (id) on delete cascade,
  code_hash bytea not null,
  created_at timestamptz not null default now(),
  used_at timestamptz,
  primary key (user_id, code_hash)
);
`
