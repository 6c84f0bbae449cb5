/** Hosts, jobs and windows as the pure rules take them. */
import { GroupId, HostId, JobId, OrderId, WindowId } from "#core/Ids.ts"
import { defaultPreCheck } from "#core/Order.ts"
import type { PlanHost, PlanJob, PlanPatch } from "#core/plan/PlanFacts.ts"
import type { EndedShare, OpenShare, ReasonHost } from "#core/reason/ReasonFacts.ts"
import { type EffectiveWindows, effectiveFor, noWindows } from "#core/window/effective.ts"
import type { MaintenanceWindow } from "#core/Window.ts"

export const NOON = Date.parse("2026-11-04T12:00:00Z")
export const HOUR = 3_600_000

const uuid = (kind: number, n: number): string =>
  `01900000-0000-7000-8${String(kind).padStart(3, "0")}-${String(n).padStart(12, "0")}`
export const hostId = (n = 1) => HostId.make(uuid(1, n))
export const windowId = (n = 1) => WindowId.make(uuid(2, n))
export const jobId = (n = 1) => JobId.make(uuid(3, n))
export const orderId = (n = 1) => OrderId.make(uuid(4, n))
const groupId = GroupId.make(uuid(5, 1))

export const patch = (name: string, from: string | null, to: string | null, security = false): PlanPatch => ({
  name,
  current_version: from,
  available_version: to,
  security,
  requires_reboot: false
})

/** Open every day from that hour of UTC for two hours, unless said otherwise. */
export const aWindow = (hour: number, more: Partial<MaintenanceWindow> = {}): MaintenanceWindow => ({
  id: windowId(hour),
  name: `Window ${hour}`,
  kind: "open",
  scope: { kind: "group", group_id: groupId },
  rule: { kind: "daily", starts_at_local: `${String(hour).padStart(2, "0")}:00` },
  time_zone: "UTC",
  duration_minutes: 120,
  blackout_dates: [],
  auto_apply: null,
  enabled: true,
  version: 1,
  watched_since: "2026-01-01T00:00:00Z",
  created_by: "test",
  created_at: "2026-01-01T00:00:00Z",
  updated_at: "2026-01-01T00:00:00Z",
  ...more
})

export const effective = (...windows: ReadonlyArray<MaintenanceWindow>): EffectiveWindows =>
  windows.length === 0 ? noWindows : effectiveFor(windows)({ id: hostId(), group_ids: [groupId] })

export const aPlanJob = (more: Partial<PlanJob> = {}): PlanJob => ({
  kind: "patch_apply",
  when: { kind: "immediate" },
  selection: { kind: "all" },
  packages: [],
  method: null,
  reboot: "never",
  max_concurrency: 100,
  waves: [],
  max_failed: null,
  on_change: "stop",
  pin_versions: false,
  pre_check: defaultPreCheck,
  ignore_blackout: false,
  expires_at: null,
  ...more
})

export const aPlanHost = (more: Partial<PlanHost> = {}): PlanHost => ({
  host_id: hostId(),
  host_name: "web-01",
  link: "healthy",
  last_seen_at: NOON,
  leaving: false,
  parked: false,
  agent_version: "2.7.0",
  format: "deb",
  reboot_needed: false,
  patches: [patch("curl", "8.0", "8.1", true), patch("jq", "1.6", "1.7")],
  patches_read_at: NOON,
  installed: { curl: "8.0", jq: "1.6" },
  obtainable: {},
  holds: [],
  services: [],
  windows: noWindows,
  busy_with: null,
  unresolved: false,
  expected_seconds: 120,
  undone: null,
  ...more
})

export const anOpenShare = (more: Partial<OpenShare> = {}): OpenShare => ({
  order_id: orderId(),
  job_id: jobId(7),
  job_number: 7,
  kind: "patch_apply",
  selection: { kind: "all" },
  packages: [],
  planned: null,
  state: "queued",
  job: {
    when: { kind: "next_window" },
    ignore_blackout: false,
    cancelled_by: null,
    paused_by: null,
    stopped_reason: null,
    expires_at: null,
    current_wave: 1,
    max_concurrency: 10,
    open: 0
  },
  order: { wave: 1, expected_seconds: 120 },
  busy_with: null,
  ...more
})

export const anEndedShare = (more: Partial<EndedShare> = {}): EndedShare => ({
  order_id: orderId(2),
  job_id: jobId(6),
  job_number: 6,
  kind: "patch_apply",
  finished_at: NOON - 2 * HOUR,
  verdict: "done",
  message: "Said so.",
  changes: [{ name: "curl", from: "8.0", to: "8.1" }],
  ...more
})

export const aReasonHost = (more: Partial<ReasonHost> = {}): ReasonHost => ({
  host_id: hostId(),
  skew_ms: 0,
  lost: false,
  parked_reason: null,
  leaving: false,
  link: "healthy",
  link_since: NOON - HOUR,
  link_reason: null,
  unresolved: false,
  format: "deb",
  patches: [patch("curl", "8.0", "8.1", true)],
  patches_read_at: NOON - HOUR,
  holds: [],
  windows: noWindows,
  open: [],
  ended: [],
  ...more
})
