/** A job that is being put together: what was chosen so far, and what is still missing. Pure. */
import type { ErrorLimit, NewJob, Wave } from "#core/Job.ts"
import type { HostFilter } from "#core/HostFilter.ts"
import { GroupId, type HostId } from "#core/Ids.ts"
import type { OnChange, RebootPolicy } from "#core/Order.ts"

export type DraftKind = NewJob["kind"]
export type Choice = "all" | "security" | "packages"

export type Target =
  | { readonly kind: "hosts"; readonly ids: ReadonlyArray<HostId> }
  | { readonly kind: "group"; readonly id: string }
  | { readonly kind: "filter"; readonly filter: HostFilter }

export interface Draft {
  readonly target: Target
  readonly kind: DraftKind
  readonly choice: Choice
  /** Names, with `=version` behind those that are to be installed in one. */
  readonly packages: string
  readonly when: "immediate" | "next_window" | "at"
  /** As a date field gives it, in the browser's zone. */
  readonly at: string
  readonly reboot: RebootPolicy
  readonly delay_minutes: string
  readonly max_concurrency: string
  /** `5, 10%`: the first waves; the rest follows. */
  readonly waves: string
  /** `3` or `10%`; empty for none. */
  readonly error_limit: string
  readonly on_change: OnChange
  readonly pin_versions: boolean
  readonly stop_degraded: boolean
  readonly stop_unknown: boolean
  readonly refuse_busy: boolean
  readonly ignore_blackout: boolean
  readonly notes: string
}

export const emptyDraft = (target: Target): Draft => ({
  target,
  kind: "patch_apply",
  choice: "all",
  packages: "",
  when: "next_window",
  at: "",
  reboot: "if_needed",
  delay_minutes: "0",
  max_concurrency: "32",
  waves: "",
  error_limit: "",
  on_change: "stop",
  pin_versions: false,
  stop_degraded: false,
  stop_unknown: false,
  refuse_busy: false,
  ignore_blackout: false,
  notes: ""
})

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9+._-]{0,255}$/
const VERSION = /^[a-zA-Z0-9][a-zA-Z0-9+.:~_-]{0,255}$/

export interface TypedPackages {
  readonly packages: ReadonlyArray<{ readonly name: string; readonly version: string | null }>
  readonly wrong: ReadonlyArray<string>
}

/** `openssl curl=8.1-1`, each name once. */
export const readPackages = (typed: string): TypedPackages => {
  const found = new Map<string, string | null>()
  const wrong: Array<string> = []
  for (const word of typed.split(/[\s,;]+/).filter((part) => part !== "")) {
    const [name = "", version, ...rest] = word.split("=")
    if (!NAME.test(name) || rest.length > 0 || (version !== undefined && !VERSION.test(version))) wrong.push(word)
    else found.set(name, version ?? null)
  }
  return { packages: [...found].map(([name, version]) => ({ name, version })), wrong }
}

const readAmount = (text: string): { readonly value: number; readonly percent: boolean } | null => {
  const found = /^([0-9]{1,5})\s*(%?)$/.exec(text.trim())
  if (found === null) return null
  const value = Number(found[1])
  const percent = found[2] === "%"
  return percent && value > 100 ? null : { value, percent }
}

export const readWaves = (text: string): ReadonlyArray<Wave> | null => {
  const parts = text.split(/[,;]+/).filter((part) => part.trim() !== "")
  const waves: Array<Wave> = []
  for (const part of parts) {
    const amount = readAmount(part)
    if (amount === null || amount.value < 1) return null
    waves.push(amount.percent ? { percent: amount.value } : { hosts: amount.value })
  }
  return waves
}

export const readErrorLimit = (text: string): ErrorLimit | null | undefined => {
  if (text.trim() === "") return undefined
  const amount = readAmount(text)
  if (amount === null) return null
  return amount.percent ? { percent: amount.value } : { hosts: amount.value }
}

const onePackage = (kind: DraftKind): boolean => kind === "package_update" || kind === "package_remove"

const packageProblem = (draft: Draft): string | null => {
  const { packages, wrong } = readPackages(draft.packages)
  if (wrong.length > 0) return `Not a package name: ${wrong.join(", ")}.`
  if (packages.length === 0) return "Name a package."
  if (onePackage(draft.kind) && packages.length > 1) return "Name one package: agents change one at a time here."
  if (draft.kind !== "package_install" && packages.some(({ version }) => version !== null))
    return "A version can only be asked for when installing."
  return null
}

const needsPackages = (draft: Draft): boolean =>
  draft.kind === "patch_apply" ? draft.choice === "packages" : draft.kind !== "reboot"

/** What keeps it from being planned, in one sentence; null when nothing does. */
export const problemOf = (draft: Draft, now: number = Date.now()): string | null => {
  const { target } = draft
  if (target.kind === "hosts" && target.ids.length === 0) return "Choose hosts, a group or a filter first."
  if (target.kind === "group" && target.id === "") return "Choose a group."
  if (needsPackages(draft)) {
    const problem = packageProblem(draft)
    if (problem !== null) return problem
  }
  if (draft.when === "at" && Number.isNaN(Date.parse(draft.at))) return "Say when it is to start."
  if (draft.when === "at" && Date.parse(draft.at) < now) return "The time of the start has passed."
  if (readWaves(draft.waves) === null) return "Waves are numbers or percentages with commas between, such as 5, 10%."
  if (readErrorLimit(draft.error_limit) === null) return "The error limit is a number of hosts or a percentage."
  const most = Number(draft.max_concurrency)
  if (!Number.isInteger(most) || most < 1 || most > 1000) return "At once is a number from 1 to 1,000."
  return null
}

/** The request for plan and job alike. Call it only where there is no problem. */
export const jobOf = (draft: Draft): NewJob => {
  const { packages } = readPackages(draft.packages)
  const { target } = draft
  const limit = readErrorLimit(draft.error_limit)
  const waves = readWaves(draft.waves) ?? []
  const apply = draft.kind === "patch_apply"
  return {
    kind: draft.kind,
    ...(target.kind === "hosts" ? { host_ids: target.ids } : {}),
    ...(target.kind === "group" ? { group_id: GroupId.make(target.id) } : {}),
    ...(target.kind === "filter" ? { filter: target.filter } : {}),
    ...(apply
      ? {
          selection:
            draft.choice === "packages"
              ? { kind: "packages", names: packages.map(({ name }) => name) }
              : { kind: draft.choice }
        }
      : {}),
    ...(needsPackages(draft) && !apply ? { packages } : {}),
    when: draft.when === "at" ? { kind: "at", at: new Date(draft.at).toISOString() } : { kind: draft.when },
    ...(draft.kind === "reboot" ? {} : { reboot: draft.reboot }),
    reboot_delay_seconds:
      draft.kind === "reboot" || draft.reboot !== "never" ? Math.round(Number(draft.delay_minutes) * 60) : 0,
    on_busy: draft.refuse_busy ? "refuse" : "queue",
    max_concurrency: Number(draft.max_concurrency),
    ...(waves.length > 0 ? { waves } : {}),
    ...(limit === undefined || limit === null ? {} : { error_limit: limit }),
    on_change: draft.on_change,
    pin_versions: draft.pin_versions,
    pre_check: { degraded: draft.stop_degraded ? "stop" : "go", unknown: draft.stop_unknown ? "stop" : "go" },
    ...(draft.when === "immediate" && draft.ignore_blackout ? { ignore_blackout: true } : {}),
    ...(draft.notes.trim() === "" ? {} : { notes: draft.notes.trim() })
  }
}
