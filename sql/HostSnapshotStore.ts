/** Reads hosts as the worker needs them: address, snapshot and running timers. */
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { HostId } from "#core/Ids.ts"
import { PackageFormat } from "#core/Package.ts"

const StoredTimer = Schema.Struct({
  id: Schema.String,
  armed_version: Schema.Int,
  /** How long until it is due, by database time; negative when overdue. */
  remaining_ms: Schema.Number
})

const StoredHost = Schema.Struct({
  id: HostId,
  fqdn: Schema.NullOr(Schema.String),
  address: Schema.String,
  agent_port: Schema.Int,
  bound_fingerprint: Schema.NullOr(Schema.String),
  trust_generation: Schema.Int,
  revoked_fingerprints: Schema.Array(Schema.String),
  package_format: PackageFormat,
  machine_version: Schema.Int,
  version: Schema.Int,
  link: Schema.String,
  work: Schema.String,
  value: Schema.Unknown,
  context: Schema.Unknown,
  next_poll_ms: Schema.NullOr(Schema.Number),
  patches_age_ms: Schema.NullOr(Schema.Number),
  packages_age_ms: Schema.NullOr(Schema.Number),
  timers: Schema.Array(StoredTimer)
})
export type StoredHost = typeof StoredHost.Type

const decode = Schema.decodeUnknownEffect(Schema.Array(StoredHost))

const columns = `
  h.id, h.fqdn, host(h.address) as address, h.agent_port, h.bound_fingerprint, h.trust_generation, h.package_format,
  coalesce(r.fingerprints, '[]') as revoked_fingerprints,
  s.machine_version, s.version::int as version, s.link, s.work, s.value, s.context,
  (extract(epoch from d.next_poll_at - now()) * 1000)::float8 as next_poll_ms,
  (extract(epoch from now() - p.read_at) * 1000)::float8 as patches_age_ms,
  (extract(epoch from now() - k.read_at) * 1000)::float8 as packages_age_ms,
  coalesce(t.timers, '[]') as timers`

const sources = `
  from hosts h
  join host_snapshots s on s.host_id = h.id
  left join host_health_data d on d.host_id = h.id
  left join host_patch_data p on p.host_id = h.id
  left join host_packages k on k.host_id = h.id
  left join lateral (
    select jsonb_agg(c.fingerprint_sha256) as fingerprints from (
      select fingerprint_sha256 from certificates
      where host_id = h.id and kind = 'host' and revoked_at is not null order by issued_at desc limit 20
    ) c
  ) r on true
  left join lateral (
    select jsonb_agg(jsonb_build_object('id', t.id, 'armed_version', t.armed_version,
      'remaining_ms', (extract(epoch from t.due_at - now()) * 1000)::float8)) as timers
    from host_timers t where t.host_id = h.id
  ) t on true`

/** Hosts after the given id, in id order; fewer than `limit` means the last page. */
export const readHostPage = Effect.fnUntraced(function* (after: HostId | null, limit: number) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    select ${sql.literal(columns)} ${sql.literal(sources)}
    where h.removed_at is null and s.parked_reason is null and (${after}::uuid is null or h.id > ${after}::uuid)
    order by h.id limit ${limit}`
  return yield* Effect.orDie(decode(rows))
})

/** The given hosts, as far as they exist and have not been removed. */
export const readHosts = Effect.fnUntraced(function* (ids: ReadonlyArray<HostId>) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    select ${sql.literal(columns)} ${sql.literal(sources)}
    where h.removed_at is null and s.parked_reason is null and h.id = any(${ids}::uuid[])`
  return yield* Effect.orDie(decode(rows))
})

/** Takes a host out of service whose stored snapshot cannot be read, with the reason shown on its page. */
export const parkHost = Effect.fnUntraced(function* (id: HostId, reason: string) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`update host_snapshots set parked_reason = ${reason} where host_id = ${id}`
  yield* sql`insert into change_feed (topic, host_id) values ('host', ${id})`
  yield* sql`select pg_notify('feed', '')`
})
