/** Settings that change at run time; each key is a row of system_config. */
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { PreconditionFailed } from "#core/Errors.ts"
import {
  defaultSettings,
  settingFields,
  type SettingKey,
  settingKeys,
  type Settings,
  type SettingsChange,
  type SettingValues
} from "#core/Settings.ts"
import type { Caller } from "#core/User.ts"
import { appendAudit, originOf } from "./AuditStore.ts"

const VERSION = "settings_version"

const decodeStored = Schema.decodeUnknownOption(
  Schema.Struct({
    health_interval_seconds: Schema.optionalKey(settingFields.health_interval_seconds),
    patch_interval_seconds: Schema.optionalKey(settingFields.patch_interval_seconds),
    agent_concurrency: Schema.optionalKey(settingFields.agent_concurrency),
    discovery_networks: Schema.optionalKey(settingFields.discovery_networks),
    pci_profile: Schema.optionalKey(settingFields.pci_profile),
    audit_verify_interval_hours: Schema.optionalKey(settingFields.audit_verify_interval_hours),
    audit_syslog_target: Schema.optionalKey(settingFields.audit_syslog_target)
  })
)

/** What is stored; a key that was never set, or cannot be read, is left out. */
export const readStoredSettings = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ key: string; value: unknown }>`
    select key, value from system_config where key = any(${[...settingKeys, VERSION]}::text[])`
  const stored: Record<string, unknown> = {}
  let version = 0
  for (const { key, value } of rows) {
    if (key === VERSION) version = Number(value)
    else if (decodeStored({ [key]: value })._tag === "Some") stored[key] = value
    else yield* Effect.logWarning(`The stored setting ${key} cannot be used; its default counts`)
  }
  return { values: stored as Partial<SettingValues>, version }
})

/** The settings as they count; `beneath` is what the process was started with. */
export const readSettings = Effect.fnUntraced(function* (beneath: Partial<SettingValues> = {}) {
  const { values, version } = yield* readStoredSettings
  const settings: Settings = { ...defaultSettings, ...beneath, ...values, version }
  return settings
})

export const changeSettings = Effect.fnUntraced(function* (caller: Caller, version: number, change: SettingsChange) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* sql`
        insert into system_config (key, value) values (${VERSION}, '0') on conflict (key) do nothing`
      yield* sql`select 1 from system_config where key = ${VERSION} for update`
      const before = yield* readSettings()
      if (before.version !== version) {
        return yield* new PreconditionFailed({
          message: `The settings were changed meanwhile: they are at version ${before.version}. Read them again.`
        })
      }
      const changed = settingKeys.filter((key) => change[key] !== undefined)
      const pick = (from: Partial<Record<SettingKey, unknown>>) =>
        Object.fromEntries(changed.map((key) => [key, from[key]]))
      for (const key of changed) {
        yield* sql`
          insert into system_config (key, value) values (${key}, ${JSON.stringify(change[key])}::text::jsonb)
          on conflict (key) do update set value = excluded.value, updated_at = now()`
      }
      yield* sql`
        update system_config set value = ${String(version + 1)}::text::jsonb, updated_at = now() where key = ${VERSION}`
      yield* sql`select pg_notify('worker', 'settings_changed')`
      const after = yield* readSettings()
      yield* appendAudit(originOf(caller), {
        action: "settings.change",
        object_type: "settings",
        object_id: "settings",
        before: pick(before),
        after: pick(after)
      })
      return after
    })
  )
})
