/** Tries of one address at the same moment count once each. Never edited once landed. */
export const signInTries = String.raw`
-- As before, but for a row that a transaction which began later has written already: its last failure then lies after this now(),
-- and what was forgotten since would be less than nothing.
create or replace function count_sign_in_try(p_kind text, p_key_hash bytea) returns int language sql as $$
  insert into sign_in_failures as f (key_hash, kind, failures, last_failed_at) values (p_key_hash, p_kind, 1, now())
  on conflict (key_hash) do update set (failures, last_failed_at, blocked_until) = (
    select n, greatest(f.last_failed_at, now()), now() + sign_in_pause(p_kind, n)
    from (select 1 + case
      when p_kind = 'account' then case when f.last_failed_at < now() - interval '24 hours' then 0 else f.failures end
      else greatest(0, f.failures - greatest(0, floor(extract(epoch from now() - f.last_failed_at) / 60)::int))
    end as n) counted)
  where f.blocked_until is null or f.blocked_until <= now()
  returning failures
$$;
`
