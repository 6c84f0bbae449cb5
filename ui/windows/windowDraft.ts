/** What the dialog of a window holds, from a window and back to one. Fields are text as they were typed. */
import type { GroupId, HostId } from "#core/Ids.ts"
import type { AutoApply, NewWindow, WeekOfMonth, Weekday, WindowItem, WindowKind, WindowRule } from "#core/Window.ts"

export interface WindowDraft {
  readonly name: string
  readonly kind: WindowKind
  readonly scope: "host" | "group" | "all"
  readonly host_id: string
  readonly group_id: string
  readonly repeats: WindowRule["kind"]
  readonly on_date: string
  readonly at: string
  readonly weekdays: ReadonlyArray<Weekday>
  readonly day: string
  readonly week: WeekOfMonth
  readonly weekday: Weekday
  readonly from_date: string
  readonly until_date: string
  readonly time_zone: string
  readonly hours: string
  readonly minutes: string
  readonly blackout_dates: string
  readonly automatic: boolean
  readonly selection: "all" | "security" | "packages"
  readonly packages: string
  readonly reboot: AutoApply["reboot"]
  readonly max_concurrency: string
  readonly on_change: AutoApply["on_change"]
  readonly reboot_delay_seconds: number
  readonly enabled: boolean
}

const zoneHere = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC"

/** Tomorrow by the browser's clock. */
const tomorrow = (): string => new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)

export const newDraft = (): WindowDraft => ({
  name: "",
  kind: "open",
  scope: "group",
  host_id: "",
  group_id: "",
  repeats: "weekly",
  on_date: tomorrow(),
  at: "02:00",
  weekdays: ["sunday"],
  day: "1",
  week: 2,
  weekday: "tuesday",
  from_date: "",
  until_date: "",
  time_zone: zoneHere(),
  hours: "4",
  minutes: "0",
  blackout_dates: "",
  automatic: false,
  selection: "security",
  packages: "",
  reboot: "if_needed",
  max_concurrency: "10",
  on_change: "stop",
  reboot_delay_seconds: 0,
  enabled: true
})

const ofRule = (rule: WindowRule): Partial<WindowDraft> => {
  if (rule.kind === "once") {
    return { repeats: "once", on_date: rule.starts_on_local.slice(0, 10), at: rule.starts_on_local.slice(11) }
  }
  return {
    repeats: rule.kind,
    at: rule.starts_at_local,
    from_date: rule.from_date ?? "",
    until_date: rule.until_date ?? "",
    ...(rule.kind === "weekly" ? { weekdays: rule.weekdays } : {}),
    ...(rule.kind === "monthly_by_day" ? { day: String(rule.day) } : {}),
    ...(rule.kind === "monthly_by_weekday" ? { week: rule.week, weekday: rule.weekday } : {})
  }
}

const ofApply = (apply: AutoApply | null): Partial<WindowDraft> =>
  apply === null
    ? { automatic: false }
    : {
        automatic: true,
        selection: apply.selection.kind,
        packages: apply.selection.kind === "packages" ? apply.selection.names.join(" ") : "",
        reboot: apply.reboot,
        reboot_delay_seconds: apply.reboot_delay_seconds,
        max_concurrency: String(apply.max_concurrency),
        on_change: apply.on_change
      }

export const draftOf = (window: WindowItem): WindowDraft => ({
  ...newDraft(),
  name: window.name,
  kind: window.kind,
  scope: window.scope.kind,
  host_id: window.scope.kind === "host" ? window.scope.host_id : "",
  group_id: window.scope.kind === "group" ? window.scope.group_id : "",
  ...ofRule(window.rule),
  time_zone: window.time_zone,
  hours: String(Math.floor(window.duration_minutes / 60)),
  minutes: String(window.duration_minutes % 60),
  blackout_dates: window.blackout_dates.join(" "),
  ...ofApply(window.auto_apply),
  enabled: window.enabled
})

const words = (text: string): Array<string> => text.split(/[\s,;]+/).filter((word) => word !== "")

const ruleOf = (draft: WindowDraft): WindowRule | null => {
  if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(draft.at)) return null
  const starts_at_local = draft.at
  const limits = {
    starts_at_local,
    ...(draft.from_date === "" ? {} : { from_date: draft.from_date }),
    ...(draft.until_date === "" ? {} : { until_date: draft.until_date })
  }
  switch (draft.repeats) {
    case "once":
      return draft.on_date === "" ? null : { kind: "once", starts_on_local: `${draft.on_date}T${draft.at}` }
    case "daily":
      return { kind: "daily", ...limits }
    case "weekly":
      return draft.weekdays.length === 0 ? null : { kind: "weekly", weekdays: draft.weekdays, ...limits }
    case "monthly_by_day": {
      const day = Number(draft.day)
      return Number.isInteger(day) && day >= 1 && day <= 31 ? { kind: "monthly_by_day", day, ...limits } : null
    }
    case "monthly_by_weekday":
      return { kind: "monthly_by_weekday", week: draft.week, weekday: draft.weekday, ...limits }
  }
}

const durationOf = (draft: WindowDraft): number => Number(draft.hours || 0) * 60 + Number(draft.minutes || 0)

const applyOf = (draft: WindowDraft): AutoApply | null =>
  draft.kind === "blackout" || !draft.automatic
    ? null
    : {
        selection:
          draft.selection === "packages"
            ? { kind: "packages", names: words(draft.packages) }
            : { kind: draft.selection },
        reboot: draft.reboot,
        reboot_delay_seconds: draft.reboot_delay_seconds,
        max_concurrency: Number(draft.max_concurrency),
        on_change: draft.on_change
      }

/** The rule, zone and length, as far as they make sense already; the dates that are typed so far are kept out. */
export const calendarOf = (draft: WindowDraft) => {
  const rule = ruleOf(draft)
  const duration_minutes = durationOf(draft)
  if (rule === null || !(duration_minutes >= 1) || !Number.isInteger(duration_minutes)) return null
  const blackout_dates = words(draft.blackout_dates)
  if (!blackout_dates.every((date) => /^\d{4}-\d{2}-\d{2}$/.test(date))) return null
  return { rule, time_zone: draft.time_zone, duration_minutes, blackout_dates: [...new Set(blackout_dates)] }
}

const scopeOf = (draft: WindowDraft): NewWindow["scope"] | null => {
  if (draft.scope === "all") return draft.kind === "blackout" ? { kind: "all" } : null
  if (draft.scope === "host") return draft.host_id === "" ? null : { kind: "host", host_id: draft.host_id as HostId }
  return draft.group_id === "" ? null : { kind: "group", group_id: draft.group_id as GroupId }
}

/** The window to send, or null while something is missing. */
export const windowOf = (draft: WindowDraft): NewWindow | null => {
  const calendar = calendarOf(draft)
  const scope = scopeOf(draft)
  if (calendar === null || scope === null || draft.name.trim() === "") return null
  if (draft.automatic && draft.selection === "packages" && words(draft.packages).length === 0) return null
  return {
    name: draft.name.trim(),
    kind: draft.kind,
    scope,
    ...calendar,
    auto_apply: applyOf(draft),
    enabled: draft.enabled
  }
}
