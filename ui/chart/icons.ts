import type { IconName } from "../kit/Icon.tsx"

/** Each state's own icon, so that neighbours in the chart differ. */
export const stateIcons: Readonly<Record<string, IconName>> = {
  unknown: "dots",
  healthy: "check",
  degraded: "warning",
  unreachable: "lost",
  idle: "rest",
  preparing: "read",
  dispatching: "send",
  running: "sync",
  verifying: "shield",
  rebooting: "power",
  leaving: "power",
  away: "lost",
  returning: "undo",
  settling: "unknown",
  quiet: "dots",
  asking: "unknown",
  inspecting: "search",
  retrying: "clock",
  failed: "failed",
  unresolved: "decision",
  retired: "minus"
}
