/** What applying updates will mean, in numbers that are known now. Pure. */
import type { HostItem } from "#core/Host.ts"
import type { RebootPolicy } from "#core/Order.ts"
import { plural } from "../format/numbers.ts"

export type Choice = "all" | "security" | "packages"

type Known = Pick<HostItem, "pending" | "security" | "reboot_needed" | "link" | "work">

export interface Plan {
  readonly hosts: ReadonlyArray<Known>
  readonly choice: Choice
  readonly names: ReadonlyArray<string>
  readonly reboot: RebootPolicy
  readonly delay_minutes: number
}

export interface Consequences {
  readonly hosts: number
  readonly pending: number
  readonly security: number
  readonly sentence: string
  readonly notes: ReadonlyArray<string>
}

const PACKAGE_NAME = /^[a-zA-Z0-9][a-zA-Z0-9+._-]{0,255}$/

/** Package names as typed, each once; what cannot be one is told apart. */
export const readNames = (
  typed: string
): { readonly names: ReadonlyArray<string>; readonly wrong: ReadonlyArray<string> } => {
  const all = [...new Set(typed.split(/[\s,;]+/).filter((name) => name !== ""))]
  return { names: all.filter((name) => PACKAGE_NAME.test(name)), wrong: all.filter((name) => !PACKAGE_NAME.test(name)) }
}

const sum = (hosts: ReadonlyArray<Known>, of: (host: Known) => number | null): number =>
  hosts.reduce((all, host) => all + (of(host) ?? 0), 0)

const isBusy = ({ work }: Known): boolean =>
  work === "retrying" || work.startsWith("patching") || work.startsWith("rebooting") || work.startsWith("settling")

const installs = (plan: Plan, pending: number, security: number): string => {
  if (plan.choice === "all") {
    return security > 0 ? `${plural(pending, "update")}, ${security} of them security,` : plural(pending, "update")
  }
  if (plan.choice === "security") return plural(security, "security update")
  return plural(plan.names.length, "chosen package")
}

const restarts = (plan: Plan): string => {
  const each = plan.hosts.length === 1 ? "the host" : "each host"
  const after = plan.delay_minutes > 0 ? ` ${plural(plan.delay_minutes, "minute")} after its updates` : ""
  if (plan.reboot === "never") return plan.hosts.length === 1 ? "It is not restarted." : "None of them is restarted."
  if (plan.reboot === "always") return `Then ${each} is restarted${after}.`
  return `Then ${each} is restarted${after}, if it asks for it.`
}

export const consequences = (plan: Plan): Consequences => {
  const pending = sum(plan.hosts, (host) => host.pending)
  const security = sum(plan.hosts, (host) => host.security)
  const on = plan.hosts.length === 1 ? "this host" : plural(plan.hosts.length, "host")
  const away = plan.hosts.filter(({ link }) => link === "unreachable" || link === "unknown").length
  const busy = plan.hosts.filter(isBusy).length
  const stopped = plan.hosts.filter(({ work }) => work === "failed").length
  const undecided = plan.hosts.filter(({ work }) => work === "unresolved").length
  const unread = plan.hosts.filter((host) => host.pending === null).length
  const none = plan.hosts.filter((host) => (plan.choice === "security" ? host.security : host.pending) === 0).length
  const one = plan.hosts.length === 1
  const note = (hosts: number, alone: string, several: string): ReadonlyArray<string> => {
    if (hosts === 0) return []
    return [one ? alone : `${plural(hosts, "host")} ${several}`]
  }
  const notes = [
    ...note(busy, "It is already at work; the new order waits.", "already at work; the new order waits for them."),
    ...note(
      undecided,
      "It waits for a decision; the new order waits too.",
      "waiting for a decision; the new order waits for it."
    ),
    ...note(
      away,
      "It cannot be reached now; it is tried again, then counted as failed.",
      "out of reach now; tried again, then counted as failed."
    ),
    ...note(stopped, "Its last order failed; this one takes its place.", "failed before; this order takes its place."),
    ...note(
      unread,
      "It has not reported its updates yet; they are read first.",
      "without a report of updates; they are read first."
    ),
    ...(plan.choice === "packages"
      ? []
      : note(
          none,
          "Nothing is known to be pending; what is pending then is installed.",
          "with nothing pending as far as known."
        ))
  ]
  return {
    hosts: plan.hosts.length,
    pending,
    security,
    sentence: `Install ${installs(plan, pending, security)} on ${on} now. ${restarts(plan)}`,
    notes
  }
}
