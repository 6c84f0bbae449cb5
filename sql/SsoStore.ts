/** Identity providers as administrators keep them. Client secrets come and go sealed. */
import { Effect } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { Conflict, NotFound, PreconditionFailed, refuseField } from "#core/Errors.ts"
import { SsoProviderId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import type { Page } from "#core/Page.ts"
import { PROVIDERS_MAXIMUM, type SsoChoice, type SsoMapping, type SsoProvider } from "#core/Sso.ts"
import type { Caller } from "#core/User.ts"
import { appendAudit, type AuditEntry, originOf } from "./AuditStore.ts"
import { readCursor, writeCursor } from "./cursor.ts"

/** As stored: without what follows from the manager's own address. */
export type StoredProvider = Omit<SsoProvider, "redirect_uri">

/** What can be set; the secret is sealed under the row's id. */
export interface ProviderValues {
  readonly name: string
  readonly kind: SsoProvider["kind"]
  readonly issuer: string
  readonly tenant_id: string | null
  readonly client_id: string
  readonly scopes: ReadonlyArray<string>
  readonly group_claim: string
  readonly mappings: ReadonlyArray<SsoMapping>
  readonly accepted_acr: ReadonlyArray<string>
  readonly ca_certificate: string | null
  readonly enabled: boolean
}

/** Undefined leaves the secret as it is. */
export type SealedSecret = Uint8Array | null | undefined

const columns = `
  p.id, p.name, p.kind, p.issuer, p.tenant_id, p.client_id, p.client_secret is not null as has_client_secret,
  p.scopes, p.group_claim, p.accepted_acr, p.ca_certificate, p.enabled, p.last_failure, p.created_at, p.created_by,
  p.version, (select count(*)::int from external_identities i where i.provider_id = p.id) as identities_total,
  coalesce((select json_agg(json_build_object('provider_group', m.provider_group, 'role', m.role, 'group_ids',
      coalesce((select json_agg(g.group_id order by g.group_id) from sso_mapped_groups g
        where g.provider_id = m.provider_id and g.provider_group = m.provider_group), '[]')) order by m.position)
    from sso_mappings m where m.provider_id = p.id), '[]') as mappings`

export const providerNotFound = new NotFound({
  code: "sso_provider_not_found",
  message: "There is no such identity provider. Somebody may have deleted it."
})

/** By name. */
export const listProviders = Effect.fnUntraced(function* (request: {
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}) {
  const sql = yield* SqlClient.SqlClient
  const limit = request.limit ?? 100
  const after = yield* readCursor("sso", request.cursor, "text")
  const rows = yield* sql<{ item: StoredProvider }>`
    select row_to_json(r) as item from (
      select ${sql.literal(columns)} from azure_sso_config p
      where ${after ? sql`(p.name, p.id) > (${after.key}, ${after.id}::text::uuid)` : sql`true`}
      order by p.name, p.id limit ${limit + 1}
    ) r`
  const counted = yield* sql<{ total: number }>`select count(*)::int as total from azure_sso_config`
  const items = rows.slice(0, limit).map((row) => row.item)
  const last = items.at(-1)
  const page: Page<StoredProvider> = {
    items,
    total: counted[0]?.total ?? 0,
    next_cursor: rows.length > limit && last ? writeCursor("sso", { key: last.name, id: last.id }) : null
  }
  return page
})

/** What the sign-in page offers: the enabled ones, by name. */
export const listChoices = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows: ReadonlyArray<SsoChoice> = yield* sql<SsoChoice>`
    select id, name from azure_sso_config where enabled order by name, id`
  return rows
})

const find = Effect.fnUntraced(function* (id: SsoProviderId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ item: StoredProvider }>`
    select row_to_json(r) as item from (select ${sql.literal(columns)} from azure_sso_config p where p.id = ${id}) r`
  return rows[0]?.item ?? null
})

export const getProvider = Effect.fnUntraced(function* (id: SsoProviderId) {
  const found = yield* find(id)
  if (found === null) return yield* providerNotFound
  return found
})

/** With its sealed secret, for talking to it. Null where there is none. */
export const findProvider = Effect.fnUntraced(function* (id: SsoProviderId) {
  const sql = yield* SqlClient.SqlClient
  const provider = yield* find(id)
  if (provider === null) return null
  const rows = yield* sql<{ client_secret: Uint8Array | null }>`
    select client_secret from azure_sso_config where id = ${id}`
  return { provider, sealed_secret: rows[0]?.client_secret ?? null }
})

/** Turns the unique index' refusal into a Conflict; use it outside of the transaction. */
export const refuseProviderName = <A, E, R>(effect: Effect.Effect<A, E | SqlError.SqlError, R>) =>
  Effect.catchReason(effect, "SqlError", "UniqueViolation", () =>
    Effect.fail(
      new Conflict({
        code: "name_taken",
        message: "There is already an identity provider of this name. Choose another."
      })
    )
  )

const storeMappings = Effect.fnUntraced(function* (id: SsoProviderId, mappings: ReadonlyArray<SsoMapping>) {
  const sql = yield* SqlClient.SqlClient
  const groups = [...new Set(mappings.flatMap(({ group_ids }) => group_ids))]
  const known = yield* sql<{ id: string }>`select id from groups where id = any(${groups}::uuid[]) for key share`
  const ids = new Set(known.map((row) => row.id))
  const index = mappings.findIndex(({ group_ids }) => group_ids.some((group) => !ids.has(group)))
  if (index >= 0) {
    return yield* refuseField(
      `payload.mappings.${index}.group_ids`,
      "One of these groups does not exist. Read the groups again."
    )
  }
  yield* sql`delete from sso_mappings where provider_id = ${id}`
  for (const [position, { provider_group, role, group_ids }] of mappings.entries()) {
    yield* sql`
      insert into sso_mappings (provider_id, provider_group, position, role)
      values (${id}, ${provider_group}, ${position}, nullif(${role ?? ""}, ''))`
    yield* sql`
      insert into sso_mapped_groups (provider_id, provider_group, group_id)
      select ${id}::text::uuid, ${provider_group}, unnest(${group_ids}::uuid[])`
  }
})

/** What the audit log is told: everything but the secret, of which only that there is one, or a new one. */
const audited = ({ ca_certificate, ...values }: ProviderValues, secret: string) => ({
  ...values,
  ca_certificate: ca_certificate === null ? null : "given",
  client_secret: secret
})

/** Call inside a transaction, audit after it. The id is given because the secret is sealed for it. */
export const insertProvider = Effect.fnUntraced(function* (
  caller: Caller,
  id: SsoProviderId,
  values: ProviderValues,
  secret: Uint8Array | null
) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`select pg_advisory_xact_lock(7202616)`
  const counted = yield* sql<{ n: number }>`select count(*)::int as n from azure_sso_config`
  if ((counted[0]?.n ?? 0) >= PROVIDERS_MAXIMUM) {
    return yield* new Conflict({
      code: "too_many_providers",
      message: `There are ${PROVIDERS_MAXIMUM} identity providers, which is the most. Delete one that is not used.`
    })
  }
  yield* sql`
    insert into azure_sso_config (id, name, kind, issuer, tenant_id, client_id, client_secret, scopes, group_claim,
      accepted_acr, ca_certificate, enabled, created_by)
    values (${id}, ${values.name}, ${values.kind}, ${values.issuer}, nullif(${values.tenant_id ?? ""}, '')::uuid,
      ${values.client_id}, ${secret}, ${values.scopes}::text[], ${values.group_claim}, ${values.accepted_acr}::text[],
      nullif(${values.ca_certificate ?? ""}, ''), ${values.enabled}, ${caller.principal.username})`
  yield* storeMappings(id, values.mappings)
  const audit: AuditEntry = {
    action: "sso_provider.create",
    object_type: "sso_provider",
    object_id: id,
    before: null,
    after: audited(values, secret === null ? "none" : "set")
  }
  return { answer: yield* Effect.catchTag(getProvider(id), "NotFound", Effect.die), audit }
})

const secretWords = (had: boolean, secret: SealedSecret): string => {
  if (secret === undefined) return had ? "set" : "none"
  return secret === null ? "none" : "set anew"
}

/**
 * `change` is told what is stored and answers what is to be. PreconditionFailed where somebody edited the provider since
 * `version` was read.
 */
export const updateProvider = <E, R>(
  caller: Caller,
  id: SsoProviderId,
  version: number,
  change: (
    before: StoredProvider
  ) => Effect.Effect<{ readonly values: ProviderValues; readonly secret: SealedSecret }, E, R>
) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        yield* sql`select 1 from azure_sso_config where id = ${id} for update`
        const before = yield* getProvider(id)
        if (before.version !== version) {
          return yield* new PreconditionFailed({
            code: "version_mismatch",
            message: `Somebody changed this identity provider meanwhile: it is at version ${before.version}, you edited ${version}. Read it again.`
          })
        }
        const { values, secret } = yield* change(before)
        yield* sql`
          update azure_sso_config set name = ${values.name}, issuer = ${values.issuer},
            tenant_id = nullif(${values.tenant_id ?? ""}, '')::uuid, client_id = ${values.client_id},
            scopes = ${values.scopes}::text[], group_claim = ${values.group_claim},
            accepted_acr = ${values.accepted_acr}::text[], ca_certificate = nullif(${values.ca_certificate ?? ""}, ''),
            enabled = ${values.enabled}, last_failure = null, version = version + 1
          where id = ${id}`
        if (secret !== undefined) yield* sql`update azure_sso_config set client_secret = ${secret} where id = ${id}`
        yield* storeMappings(id, values.mappings)
        // Whoever is on his way was sent off with what no longer holds.
        yield* sql`delete from sso_sign_ins where provider_id = ${id}`
        const answer = yield* getProvider(id)
        yield* appendAudit(originOf(caller), {
          action: "sso_provider.edit",
          object_type: "sso_provider",
          object_id: id,
          before: audited(before, before.has_client_secret ? "set" : "none"),
          after: audited(values, secretWords(before.has_client_secret, secret))
        })
        return answer
      })
    )
  )

/** Accounts stay; their people have no other way in until an administrator gives them one. */
export const deleteProvider = (caller: Caller, id: SsoProviderId) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        yield* sql`select 1 from azure_sso_config where id = ${id} for update`
        const before = yield* getProvider(id)
        yield* sql`delete from azure_sso_config where id = ${id}`
        yield* appendAudit(originOf(caller), {
          action: "sso_provider.delete",
          object_type: "sso_provider",
          object_id: id,
          before: audited(before, before.has_client_secret ? "set" : "none"),
          after: null
        })
      })
    )
  )

/** What went wrong with the provider last, for the page about it; null once it works again. No new version, no audit row. */
export const noteFailure = Effect.fnUntraced(function* (id: SsoProviderId, message: string | null) {
  const sql = yield* SqlClient.SqlClient
  yield* message === null
    ? sql`update azure_sso_config set last_failure = null where id = ${id} and last_failure is not null`
    : sql`update azure_sso_config set last_failure = jsonb_build_object('at', now(), 'message', ${message}::text)
        where id = ${id}`
})

export const newProviderId = () => newId(SsoProviderId)
