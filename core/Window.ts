/**
 * Maintenance windows as rows, on the wire and in the console. What they mean in time is in core/window/: the one calendar that
 * worker, API and console share.
 */
import { Schema } from "effect"
import { GroupId, HostId, JobId, WindowId } from "./Ids.ts"
import { OnChange, RebootPolicy } from "./Order.ts"
import { Selection } from "./Package.ts"
import { Timestamp } from "./Timestamp.ts"
import { weekdays } from "./window/weekdays.ts"

const isDay = (text: string): boolean => {
  const at = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text)
}

/** A day of the window's zone. */
export const LocalDate = Schema.String.check(
  Schema.isPattern(/^(19[7-9]|20[0-9]|21[0-9])[0-9]-[0-9]{2}-[0-9]{2}$/, { expected: "a date such as 2026-03-29" }),
  Schema.makeFilter(isDay, { expected: "a day that the calendar has" })
)

/** A time of day on the clocks of the window's zone, 00:00 to 23:59. */
export const LocalTime = Schema.String.check(
  Schema.isPattern(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, { expected: "a time of day such as 02:30" })
)

export const LocalDateTime = Schema.String.check(
  Schema.isPattern(/^(19[7-9]|20[0-9]|21[0-9])[0-9]-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]$/, {
    expected: "a date and a time of day such as 2026-03-29T02:30"
  }),
  Schema.makeFilter((text) => isDay(text.slice(0, 10)), { expected: "a day that the calendar has" })
)

/** True for a zone of the IANA table, as this program's own table has it. */
export const isTimeZone = (name: string): boolean => {
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: name }).resolvedOptions().timeZone !== ""
  } catch {
    return false
  }
}

export const TimeZone = Schema.String.check(
  Schema.isMaxLength(64),
  Schema.makeFilter(isTimeZone, { expected: "an IANA time zone such as Europe/Berlin" })
)

export const Weekday = Schema.Literals(weekdays)
export type Weekday = typeof Weekday.Type

/** Which one of the month. A month has every weekday at least four times, so each of these exists in every month. */
export const WeekOfMonth = Schema.Literals([1, 2, 3, 4, "last"])
export type WeekOfMonth = typeof WeekOfMonth.Type

const repeating = {
  starts_at_local: LocalTime,
  /** First and last day on which it may open; without them, always. */
  from_date: Schema.optionalKey(LocalDate),
  until_date: Schema.optionalKey(LocalDate)
}

/** On which days, and at what time of that day, a window opens. */
export const WindowRule = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("once"), starts_on_local: LocalDateTime }),
  Schema.Struct({ kind: Schema.Literal("daily"), ...repeating }),
  Schema.Struct({
    kind: Schema.Literal("weekly"),
    weekdays: Schema.Array(Weekday).check(Schema.isMinLength(1), Schema.isMaxLength(7), Schema.isUnique()),
    ...repeating
  }),
  Schema.Struct({
    kind: Schema.Literal("monthly_by_day"),
    /** A month that is too short has it on its last day: 31 is the last day of every month. */
    day: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 31 })),
    ...repeating
  }),
  Schema.Struct({ kind: Schema.Literal("monthly_by_weekday"), week: WeekOfMonth, weekday: Weekday, ...repeating })
]).annotate({ identifier: "WindowRule" })
export type WindowRule = typeof WindowRule.Type

export const MAX_WINDOW_MINUTES = 7 * 24 * 60
export const MAX_BLACKOUT_MINUTES = 366 * 24 * 60

/** `all` is for blackouts, and for administrators. */
export const WindowScope = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("host"), host_id: HostId }),
  Schema.Struct({ kind: Schema.Literal("group"), group_id: GroupId }),
  Schema.Struct({ kind: Schema.Literal("all") })
]).annotate({ identifier: "WindowScope" })
export type WindowScope = typeof WindowScope.Type

/** The job that is made when the window opens. */
export const AutoApply = Schema.Struct({
  selection: Selection,
  reboot: RebootPolicy,
  reboot_delay_seconds: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 86400 })),
  max_concurrency: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 })),
  on_change: OnChange
}).annotate({ identifier: "AutoApply" })
export type AutoApply = typeof AutoApply.Type

export const WindowKind = Schema.Literals(["open", "blackout"])
export type WindowKind = typeof WindowKind.Type

/** What the calendar needs of a window. */
export const WindowCalendar = Schema.Struct({
  rule: WindowRule,
  time_zone: TimeZone,
  /** Elapsed time from opening to closing, whatever the clocks do meanwhile. */
  duration_minutes: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: MAX_BLACKOUT_MINUTES })),
  /** Days of that zone on which it does not open. */
  blackout_dates: Schema.Array(LocalDate).check(Schema.isMaxLength(400), Schema.isUnique())
})
export type WindowCalendar = typeof WindowCalendar.Type

const name = Schema.String.check(Schema.isTrimmed(), Schema.isMinLength(1), Schema.isMaxLength(100))

const editable = {
  name,
  kind: WindowKind,
  scope: WindowScope,
  ...WindowCalendar.fields,
  auto_apply: Schema.NullOr(AutoApply),
  enabled: Schema.Boolean
}

export const NewWindow = Schema.Struct({
  ...editable,
  blackout_dates: Schema.optionalKey(WindowCalendar.fields.blackout_dates),
  auto_apply: Schema.optionalKey(editable.auto_apply),
  enabled: Schema.optionalKey(Schema.Boolean)
}).annotate({ identifier: "NewWindow" })
export type NewWindow = typeof NewWindow.Type

/** Keys left out stay as they are. A window keeps its kind. */
export const WindowChange = Schema.Struct({
  name: Schema.optionalKey(name),
  scope: Schema.optionalKey(WindowScope),
  rule: Schema.optionalKey(WindowRule),
  time_zone: Schema.optionalKey(TimeZone),
  duration_minutes: Schema.optionalKey(WindowCalendar.fields.duration_minutes),
  blackout_dates: Schema.optionalKey(WindowCalendar.fields.blackout_dates),
  auto_apply: Schema.optionalKey(editable.auto_apply),
  enabled: Schema.optionalKey(Schema.Boolean)
}).annotate({ identifier: "WindowChange" })
export type WindowChange = typeof WindowChange.Type

export const MaintenanceWindow = Schema.Struct({
  id: WindowId,
  ...editable,
  version: Schema.Int,
  /** Openings before this moment were another rule's: they are neither carried out nor counted as missed. */
  watched_since: Timestamp,
  created_by: Schema.String,
  created_at: Timestamp,
  updated_at: Timestamp
}).annotate({ identifier: "MaintenanceWindow" })
export type MaintenanceWindow = typeof MaintenanceWindow.Type

/** What can be edited, with everything filled in. */
export type WindowContent = Pick<MaintenanceWindow, keyof typeof editable>

/** What a schema cannot say about one key alone: the first fault by its path, or null. */
export const faultOf = (window: WindowContent): { readonly path: string; readonly message: string } | null => {
  const { rule } = window
  if (window.kind === "open" && window.duration_minutes > MAX_WINDOW_MINUTES) {
    return { path: "duration_minutes", message: "A window is open for a week at most (10080 minutes)." }
  }
  if (window.kind === "open" && window.scope.kind === "all") {
    return { path: "scope", message: "Only a blackout can be for all hosts. Give a window to a host or to a group." }
  }
  if (window.kind === "blackout" && window.auto_apply !== null) {
    return { path: "auto_apply", message: "A blackout applies nothing. Leave auto_apply out." }
  }
  if (rule.kind !== "once" && rule.from_date && rule.until_date && rule.until_date < rule.from_date) {
    return { path: "rule.until_date", message: "The last day lies before the first one." }
  }
  return null
}

/** `nothing`: nobody to patch. `refused`: a blackout or the job's own check forbade it. `missed`: the manager was off. */
export const WindowOutcome = Schema.Literals(["fired", "missed", "nothing", "refused"])
export type WindowOutcome = typeof WindowOutcome.Type

/** What became of one opening; it has at most one. Without automatic apply there is one only where jobs waited in vain. */
export const WindowRun = Schema.Struct({
  window_id: WindowId,
  opens_at: Timestamp,
  closes_at: Timestamp,
  outcome: WindowOutcome,
  job_id: Schema.NullOr(JobId),
  job_number: Schema.NullOr(Schema.Int),
  hosts: Schema.Int,
  /** One sentence for the operator. */
  note: Schema.String,
  decided_at: Timestamp
}).annotate({ identifier: "WindowRun" })
export type WindowRun = typeof WindowRun.Type

/** One opening on the wire. */
export const Opening = Schema.Struct({
  opens_at: Timestamp,
  closes_at: Timestamp,
  /** The day of the rule, in the window's zone. */
  local_date: Schema.String,
  /** What a change of the clocks does to it. */
  clock_change: Schema.Literals(["none", "skipped", "repeated", "during"])
}).annotate({ identifier: "Opening" })
export type Opening = typeof Opening.Type

export const WindowItem = Schema.Struct({
  ...MaintenanceWindow.fields,
  /** Name of the host or the group; null for all hosts. */
  scope_name: Schema.NullOr(Schema.String),
  /** Hosts in its scope that the caller may see, whether or not this is the window that holds for them. */
  hosts_total: Schema.Int,
  /** Of this window by itself, whatever blackouts say. `over`: its rule has ended. `off`: switched off. */
  state: Schema.Literals(["open", "closed", "over", "off"]),
  current: Schema.NullOr(Opening),
  next: Schema.NullOr(Opening),
  last_run: Schema.NullOr(WindowRun)
}).annotate({ identifier: "WindowItem" })
export type WindowItem = typeof WindowItem.Type

/** The next openings by the calendar, and what became of the last ones. */
export const WindowOpenings = Schema.Struct({
  openings: Schema.Array(Opening),
  /** Newest first. */
  runs: Schema.Array(WindowRun)
}).annotate({ identifier: "WindowOpenings" })
export type WindowOpenings = typeof WindowOpenings.Type

export const UpcomingOpening = Schema.Struct({
  window_id: WindowId,
  name: Schema.String,
  kind: WindowKind,
  scope_name: Schema.NullOr(Schema.String),
  hosts_total: Schema.Int,
  automatic: Schema.Boolean,
  time_zone: Schema.String,
  ...Opening.fields
}).annotate({ identifier: "UpcomingOpening" })
export type UpcomingOpening = typeof UpcomingOpening.Type

/** A window as it holds for a host. One of a group that the caller does not belong to has neither id nor names. */
export const HostWindow = Schema.Struct({
  id: Schema.NullOr(WindowId),
  name: Schema.String,
  kind: WindowKind,
  source: Schema.Literals(["host", "group", "other_group", "all"]),
  group_name: Schema.NullOr(Schema.String),
  /** The rule in words. */
  words: Schema.String,
  automatic: Schema.Boolean
}).annotate({ identifier: "HostWindow" })
export type HostWindow = typeof HostWindow.Type

export const OpenSpan = Schema.Struct({
  opens_at: Timestamp,
  closes_at: Timestamp,
  window_names: Schema.Array(Schema.String)
}).annotate({ identifier: "OpenSpan" })
export type OpenSpan = typeof OpenSpan.Type

/** Which windows hold for a host, which rule won, and why. */
export const HostWindows = Schema.Struct({
  won_by: Schema.Literals(["host", "groups", "none"]),
  why: Schema.String,
  windows: Schema.Array(HostWindow),
  blackouts: Schema.Array(HostWindow),
  /** Windows of its groups that its own ones replace. */
  replaced: Schema.Array(HostWindow),
  open: Schema.NullOr(OpenSpan),
  /** The blackout in force now. */
  blackout: Schema.NullOr(OpenSpan),
  /** The next times at which the host may be worked on, blackouts taken out. */
  next: Schema.Array(OpenSpan)
}).annotate({ identifier: "HostWindows" })
export type HostWindows = typeof HostWindows.Type

export const SimulationRequest = Schema.Struct({
  weeks: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 12 })),
  /** Windows as if they were saved; with the id of an existing one, in its place. */
  drafts: Schema.optionalKey(
    Schema.Array(Schema.Struct({ id: Schema.optionalKey(WindowId), window: NewWindow })).check(Schema.isMaxLength(20))
  ),
  /** Windows as if they were deleted. */
  without: Schema.optionalKey(Schema.Array(WindowId).check(Schema.isMaxLength(100)))
}).annotate({ identifier: "SimulationRequest" })
export type SimulationRequest = typeof SimulationRequest.Type

/** Places in the answer's list of hosts. */
const hostNumbers = Schema.Array(Schema.Int)

export const SimulationAnswer = Schema.Struct({
  from: Timestamp,
  to: Timestamp,
  windows: Schema.Array(
    Schema.Struct({ id: WindowId, name: Schema.String, time_zone: Schema.String, draft: Schema.Boolean })
  ),
  hosts: Schema.Array(Schema.Struct({ id: HostId, display_name: Schema.String })),
  /** Sets of hosts by their places in `hosts`; a firing names its set by its place here. */
  host_sets: Schema.Array(hostNumbers),
  /** The first 5,000, ordered by time. */
  firings: Schema.Array(
    Schema.Struct({
      window_id: WindowId,
      opens_at: Timestamp,
      closes_at: Timestamp,
      /** When the job is made; a blackout can put it off. */
      fires_at: Timestamp,
      ends_at: Timestamp,
      hindrance: Schema.NullOr(Schema.Literals(["no_host", "blackout"])),
      host_set: Schema.Int
    })
  ),
  firings_total: Schema.Int,
  /** Hosts that two windows with automatic apply patch at the same time. */
  clashes: Schema.Array(
    Schema.Struct({
      window_ids: Schema.Tuple([WindowId, WindowId]),
      first_at: Timestamp,
      times: Schema.Int,
      hosts: hostNumbers
    })
  ),
  /** Windows in which the past runs of some hosts would not fit: nineteen of twenty runs took up to p95. */
  too_short: Schema.Array(
    Schema.Struct({
      window_id: WindowId,
      shortest_minutes: Schema.Int,
      median_minutes: Schema.Int,
      p95_minutes: Schema.Int,
      hosts: hostNumbers
    })
  ),
  never_covered: Schema.Array(Schema.Struct({ host: Schema.Int, why: Schema.String })),
  /**
   * Jobs that wait for windows or a time, and when each of their hosts may start at the earliest: waves, limits and other jobs
   * can put it off. Null where no window lets it in.
   */
  queued: Schema.Array(
    Schema.Struct({
      job_id: JobId,
      job_number: Schema.Int,
      starts_at: Schema.NullOr(Timestamp),
      host_set: Schema.Int
    })
  )
}).annotate({ identifier: "SimulationAnswer" })
export type SimulationAnswer = typeof SimulationAnswer.Type
