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
  const notes = [
    busy > 0 ? `${plural(busy, "host")} already at work; the new order waits for it.` : "",
    undecided > 0 ? `${plural(undecided, "host")} waiting for a decision; the new order waits for it.` : "",
    away > 0 ? `${plural(away, "host")} cannot be reached now; it is tried again, then counted as failed.` : "",
    stopped > 0 ? `${plural(stopped, "host")} failed before; this order takes its place.` : "",
    unread > 0 ? `${plural(unread, "host")} has not reported its updates yet; they are read first.` : "",
    none > 0 && plan.choice !== "packages" ? `${plural(none, "host")} has nothing to install.` : ""
  ].filter((note) => note !== "")
  return {
    hosts: plan.hosts.length,
    pending,
    security,
    sentence: `Install ${installs(plan, pending, security)} on ${on} now. ${restarts(plan)}`,
    notes
  }
}
