/** Accounts as administrators keep them: where they come from, who was deleted, and that an administrator remains. Never edited once landed. */
export const users = String.raw`
alter table users
  -- Who vouches for the person: a password here, the identity provider, or the sealed password of a break-glass account.
  add column origin text not null default 'local' check (origin in ('local', 'sso', 'break_glass')),
  add column email text check (length(email) between 3 and 254),
  add column last_sign_in_at timestamptz,
  -- The row stays, so that what he did keeps his name and nobody else gets it; a deleted user is disabled too.
  add column deleted_at timestamptz,
  add constraint users_deleted check (deleted_at is null or disabled_at is not null);
create index users_role on users (role) where disabled_at is null;

-- Whoever may take an administrator away waits here for the one before him, so that two cannot take each other's place away.
create function lock_administrators() returns void language sql as $$
  select pg_advisory_xact_lock(7202612, 1)
$$;

-- Administrators who can sign in, this one aside. A break-glass account is for emergencies and does not count.
create function other_administrators(p_user uuid) returns int language sql as $$
  select count(*)::int from users
  where id <> p_user and role = 'admin' and disabled_at is null and deleted_at is null and origin <> 'break_glass'
$$;

-- For every way to change an account, whichever program comes along it.
create function keep_an_administrator() returns trigger language plpgsql as $$
begin
  if old.role = 'admin' and old.disabled_at is null and old.origin <> 'break_glass' and
    (tg_op = 'DELETE' or new.role <> 'admin' or new.disabled_at is not null or new.origin = 'break_glass')
  then
    perform lock_administrators();
    if other_administrators(old.id) = 0 then
      raise exception 'the last enabled administrator stays' using errcode = 'check_violation', constraint = 'last_administrator';
    end if;
  end if;
  if tg_op = 'DELETE' then
    return old;
  end if;
  return new;
end
$$;
create trigger keep_an_administrator before update of role, disabled_at, origin or delete on users
  for each row execute function keep_an_administrator();

-- Sessions are cleared away after a while; when somebody was last here is not.
create function note_sign_in() returns trigger language plpgsql as $$
begin
  update users set last_sign_in_at = new.signed_in_at
  where id = new.user_id and (last_sign_in_at is null or last_sign_in_at < new.signed_in_at);
  return null;
end
$$;
create trigger note_sign_in after insert or update of stage on sessions
  for each row when (new.stage = 'full') execute function note_sign_in();
`
