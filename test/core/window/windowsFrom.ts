/** Windows for tests, with everything that does not matter filled in. */
import { GroupId, HostId, WindowId } from "#core/Ids.ts"
import type { MaintenanceWindow } from "#core/Window.ts"

const uuid = (kind: string, n: number): string => `01a200e4-e652-7${kind}-b45c-${n.toString(16).padStart(12, "0")}`
export const hostId = (n: number): HostId => HostId.make(uuid("0a0", n))
export const groupId = (n: number): GroupId => GroupId.make(uuid("0b0", n))
export const windowId = (n: number): WindowId => WindowId.make(uuid("0c0", n))

export const apply = {
  selection: { kind: "all" },
  reboot: "if_needed",
  reboot_delay_seconds: 0,
  max_concurrency: 10,
  on_change: "take"
} as const

export const windowFrom = (n: number, fields: Partial<MaintenanceWindow> = {}): MaintenanceWindow => ({
  id: windowId(n),
  name: `window ${n}`,
  kind: "open",
  scope: { kind: "group", group_id: groupId(1) },
  rule: { kind: "daily", starts_at_local: "02:00" },
  time_zone: "UTC",
  duration_minutes: 120,
  blackout_dates: [],
  auto_apply: null,
  enabled: true,
  version: 1,
  watched_since: "2026-01-01T00:00:00Z",
  created_by: "admin",
  created_at: "2026-01-01T00:00:00Z",
  updated_at: "2026-01-01T00:00:00Z",
  ...fields
})
