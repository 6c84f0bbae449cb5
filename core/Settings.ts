/** What an administrator may change while everything runs. Kept in system_config, one key a setting. */
import { Schema } from "effect"
import { readNetwork } from "./network.ts"

const count = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

export const NetworkText = Schema.String.check(
  Schema.isMaxLength(64),
  Schema.makeFilter((text) => readNetwork(text) !== null || "must be a network such as 192.0.2.0/24 or 2001:db8::/64")
)

export const SyslogTarget = Schema.String.check(
  Schema.isMaxLength(300),
  Schema.makeFilter(
    (text) =>
      text === "" ||
      /^(udp|tcp|tls):\/\/([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?$/.test(text) ||
      "must be udp://, tcp:// or tls:// with a host and perhaps a port, such as tls://logs.example.org:6514"
  )
)

export const settingFields = {
  /** Between two health polls of a host, give or take a tenth. */
  health_interval_seconds: count(30, 86_400),
  /** Between two readings of a host's patches. */
  patch_interval_seconds: count(60, 604_800),
  /** Calls to agents under way at once. */
  agent_concurrency: count(1, 1024),
  /** Networks that may be searched for agents; empty means none. */
  discovery_networks: Schema.Array(NetworkText).check(Schema.isMaxLength(100)),
  /**
   * What PCI DSS 4.0.1 asks for: twelve months of audit log (10.5.1), idle sessions of 15 minutes (8.2.8), its password rules (8.3.6,
   * 8.3.7) and its lock (8.3.4).
   */
  pci_profile: Schema.Boolean,
  /** The whole audit log is verified at least this often. */
  audit_verify_interval_hours: count(1, 168),
  /** Log server that gets each checkpoint of the audit log, such as tls://logs.example.org:6514; empty means none. */
  audit_syslog_target: SyslogTarget
} as const

const Values = Schema.Struct(settingFields)
export type SettingValues = typeof Values.Type
export type SettingKey = keyof SettingValues
export const settingKeys = Object.keys(settingFields) as ReadonlyArray<SettingKey>

export const defaultSettings: SettingValues = {
  health_interval_seconds: 300,
  patch_interval_seconds: 1800,
  agent_concurrency: 64,
  discovery_networks: [],
  pci_profile: false,
  audit_verify_interval_hours: 24,
  audit_syslog_target: ""
}

export const Settings = Schema.Struct({
  ...settingFields,
  /** Grows with each change; the ETag. */
  version: Schema.Int
}).annotate({ identifier: "Settings" })
export type Settings = typeof Settings.Type

/** Keys left out stay as they are. */
export const SettingsChange = Schema.Struct({
  health_interval_seconds: Schema.optionalKey(settingFields.health_interval_seconds),
  patch_interval_seconds: Schema.optionalKey(settingFields.patch_interval_seconds),
  agent_concurrency: Schema.optionalKey(settingFields.agent_concurrency),
  discovery_networks: Schema.optionalKey(settingFields.discovery_networks),
  pci_profile: Schema.optionalKey(settingFields.pci_profile),
  audit_verify_interval_hours: Schema.optionalKey(settingFields.audit_verify_interval_hours),
  audit_syslog_target: Schema.optionalKey(settingFields.audit_syslog_target)
}).annotate({ identifier: "SettingsChange" })
export type SettingsChange = typeof SettingsChange.Type

/** Months for which the audit log and the results of jobs are kept. */
export const retentionMonths = ({ pci_profile }: Pick<SettingValues, "pci_profile">): number => (pci_profile ? 12 : 6)
