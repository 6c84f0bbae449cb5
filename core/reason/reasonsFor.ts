/**
 * Why a host and each of its pending packages is not patched. What waits is judged by the dispatcher's own `decide`, so the
 * answer is what the dispatcher does at that moment. Pure.
 */
import { decide, type Decision, type WindowMoment } from "../Dispatch.ts"
import { isHeld } from "../Hold.ts"
import { openJobHostStates } from "../JobState.ts"
import { momentWords } from "../momentWords.ts"
import type { HostReasons, Reason, ReasonCode } from "../Reason.ts"
import type { PlanPatch } from "../plan/PlanFacts.ts"
import { windowMoment } from "../plan/windowMoment.ts"
import type { EndedShare, OpenShare, ReasonHost } from "./ReasonFacts.ts"
import { away, because, jobOf, nameOfWindows, stamp, stampOrNull, waiting } from "./reasonWords.ts"

/** What the dispatcher does with this share now. */
const decisionOn = (host: ReasonHost, share: OpenShare, at: number, windows: WindowMoment): Decision =>
  decide({
    at,
    skew_ms: host.skew_ms,
    job: share.job,
    order: share.order,
    host: {
      lost: host.lost,
      leaving: host.leaving,
      link: host.link,
      busy_with: share.busy_with,
      unresolved: host.unresolved
    },
    windows
  })

const ending = (share: OpenShare, end: Extract<Decision, { readonly kind: "end" }>): Reason =>
  because(
    end.verdict === "stopped"
      ? "error_limit"
      : end.verdict === "deferred"
        ? "deferred"
        : end.verdict === "cancelled"
          ? "cancelled"
          : "parked",
    `Job ${share.job_number}: ${end.message}`,
    { job: jobOf(share) }
  )

const ofShare = (host: ReasonHost, share: OpenShare, at: number, windows: WindowMoment): Reason => {
  if (openJobHostStates.includes(share.state)) {
    return host.unresolved
      ? because(
          "needs_decision",
          `How job ${share.job_number} ended on this host is unknown. Open the host and ask again or settle it by hand.`,
          { job: jobOf(share) }
        )
      : because("in_progress", `Job ${share.job_number} is at work on it.`, { job: jobOf(share) })
  }
  const decision = decisionOn(host, share, at, windows)
  if (decision.kind === "end") return ending(share, decision)
  if (decision.kind === "wait") {
    const reason = waiting(host, share, decision.reason)
    return host.link === "unreachable" ? { ...reason, message: `${reason.message} ${away(host)}` } : reason
  }
  if (host.link === "unreachable") {
    return because("unreachable", `${away(host)} Job ${share.job_number} is tried nevertheless.`, {
      since: stampOrNull(host.link_since),
      job: jobOf(share)
    })
  }
  return because("starting", `Job ${share.job_number} starts now.`, { job: jobOf(share) })
}

/** At work first, then what starts soonest. */
const rank = (reason: Reason): readonly [number, string] => {
  const places: ReadonlyArray<ReasonCode> = ["in_progress", "needs_decision", "starting", "unreachable"]
  const place = places.indexOf(reason.code)
  if (place >= 0) return [place, ""]
  return reason.until === null ? [6, ""] : [5, reason.until]
}

const first = (reasons: ReadonlyArray<Reason>): Reason | undefined =>
  reasons.toSorted((a, b) => {
    const [x, s] = rank(a)
    const [y, t] = rank(b)
    return x - y || (s < t ? -1 : s > t ? 1 : 0)
  })[0]

const covers = (share: OpenShare, patch: PlanPatch): boolean => {
  if (share.kind === "reboot" || share.kind === "rollback" || share.kind === "package_remove") return false
  if (share.planned !== null) return share.planned.some(({ name }) => name === patch.name)
  if (share.kind !== "patch_apply") return share.packages.some(({ name }) => name === patch.name)
  const { selection } = share
  if (selection.kind === "packages") return selection.names.includes(patch.name)
  return selection.kind === "all" || patch.security
}

/** The last run that was about this version of the package. */
const attempt = (host: ReasonHost, patch: PlanPatch): EndedShare | undefined => {
  const share = host.ended.find(({ changes }) => changes.some(({ name }) => name === patch.name))
  if (share === undefined || share.kind === "rollback" || share.kind === "package_remove") return undefined
  const change = share.changes.find(({ name }) => name === patch.name)
  const same = change?.to === null || patch.available_version === null || change?.to === patch.available_version
  return same ? share : undefined
}

const afterEnd = (host: ReasonHost, share: EndedShare): Reason => {
  const more = { job: jobOf(share), since: stamp(share.finished_at) }
  const said = `Job ${share.job_number}: ${share.message}`
  switch (share.verdict) {
    case "plan_changed":
      return because("plan_changed", said, more)
    case "deferred":
      return because("deferred", said, more)
    case "cancelled":
      return because("cancelled", said, more)
    case "stopped":
      return because("error_limit", said, more)
    case "unresolved":
      return because("needs_decision", said, more)
    case "unavailable":
      return host.link === "unreachable"
        ? because("unreachable", `${away(host)} ${said}`, { ...more, since: stampOrNull(host.link_since) })
        : because("failed", said, more)
    case "done":
    case "nothing_to_do":
    case "not_effective":
      if (host.patches_read_at !== null && host.patches_read_at < share.finished_at) {
        return because(
          "unknown",
          `Job ${share.job_number} ended after the patch list was read. Refresh the host to see what is left.`,
          more
        )
      }
      return because(
        "kept_back",
        `Job ${share.job_number} ran, and the host still offers it: its package manager keeps it back. Look at its dependencies and at pins and holds on the host itself.`,
        more
      )
    default:
      return because("failed", said, more)
  }
}

/** Nobody has ordered it: what would have to happen. */
const notOrdered = (host: ReasonHost, at: number, moment: WindowMoment): Reason => {
  if (host.link === "unreachable") {
    return because("unreachable", `${away(host)} Look at the agent and the network on the host.`, {
      since: stampOrNull(host.link_since)
    })
  }
  if (host.windows.open.length === 0) {
    return because(
      "no_window",
      "No job is ordered for it, and no window covers this host. Give it a window, or order an immediate job."
    )
  }
  const next = moment.open !== null && moment.open.opens_at > at ? moment.open : moment.next
  if (next === null) {
    return because("no_window", "No job is ordered for it, and none of its windows opens again. Give it a window.")
  }
  const automatic = host.windows.open.filter(
    (window) => window.auto_apply !== null && next.window_ids.includes(window.id)
  )
  const more = { until: stamp(next.opens_at), window_ids: next.window_ids }
  return automatic.length > 0
    ? because(
        "waiting_for_window",
        `No job is ordered yet: ${nameOfWindows(
          host,
          automatic.map((window) => window.id)
        )} makes one when it opens at ${momentWords(next.opens_at)}.`,
        more
      )
    : because(
        "not_ordered",
        `No job is ordered for it. ${nameOfWindows(host, next.window_ids)} opens at ${momentWords(next.opens_at)}: order a job for it, or let the window apply patches by itself.`,
        more
      )
}

/** The window's automatic job would take only what it was told to take. */
const automaticCovers = (host: ReasonHost, reason: Reason, patch: PlanPatch): boolean =>
  host.windows.open.some((window) => {
    if (window.auto_apply === null || !reason.window_ids.includes(window.id)) return false
    const { selection } = window.auto_apply
    if (selection.kind === "packages") return selection.names.includes(patch.name)
    return selection.kind === "all" || patch.security
  })

export const reasonsFor = (host: ReasonHost, at: number): Pick<HostReasons, "host" | "packages"> => {
  const moment = windowMoment(host.windows, at)
  const shares = host.open.map((share) => ({ share, reason: ofShare(host, share, at, moment) }))
  const unordered = notOrdered(host, at, moment)

  const ofPatch = (patch: PlanPatch): Reason => {
    const covering = shares.filter(({ share }) => covers(share, patch))
    const working = covering.find(({ reason }) => reason.code === "in_progress")
    if (working) return working.reason
    const hold = isHeld(host.holds, patch.name, at)
    if (hold !== undefined) {
      return because(
        "held",
        `Held (${hold.pattern}): ${hold.reason}${hold.until_ms === null ? "" : ` Until ${momentWords(hold.until_ms)}.`}`,
        {
          until: stampOrNull(hold.until_ms),
          hold_id: hold.hold_id
        }
      )
    }
    const waits = first(covering.map(({ reason }) => reason))
    if (waits) return waits
    if (host.parked_reason !== null) return because("parked", `The manager set this host aside: ${host.parked_reason}`)
    if (host.leaving) return because("leaving", "The host is being removed.")
    const share = attempt(host, patch)
    if (share) return afterEnd(host, share)
    if (unordered.code === "waiting_for_window" && !automaticCovers(host, unordered, patch)) {
      return {
        ...unordered,
        code: "not_ordered",
        message: `No job is ordered for it, and the next window's own job does not take it. Order a job.`
      }
    }
    return unordered
  }

  const patches = host.patches ?? []
  const packages = patches.map((patch) => ({
    name: patch.name,
    current_version: patch.current_version,
    available_version: patch.available_version,
    security: patch.security,
    reason: ofPatch(patch)
  }))

  const ofHost = (): Reason => {
    if (host.parked_reason !== null) {
      return because(
        "parked",
        `The manager set this host aside: ${host.parked_reason} Restart the worker of a release that can read it.`
      )
    }
    const working = shares.find(({ reason }) => reason.code === "in_progress")
    if (working) return working.reason
    if (host.unresolved && shares.every(({ reason }) => reason.code !== "needs_decision")) {
      return because(
        "needs_decision",
        "How an earlier run ended on this host is unknown. Open the host and settle it by hand."
      )
    }
    if (host.leaving) return because("leaving", "The host is being removed.")
    const waits = first(
      shares.filter(({ share }) => share.kind !== "rollback" || patches.length === 0).map(({ reason }) => reason)
    )
    if (waits) return waits
    if (host.patches === null) {
      return host.link === "unreachable"
        ? because("unreachable", `${away(host)} Its patch list was never read.`, {
            since: stampOrNull(host.link_since)
          })
        : because("unknown", "The patch list of this host has not been read yet. Refresh the host.")
    }
    if (patches.length === 0) {
      const since = stampOrNull(host.patches_read_at)
      return host.link === "unreachable"
        ? because(
            "unreachable",
            `${away(host)} When its list was last read${since === null ? "" : `, at ${momentWords(since)}`}, nothing was pending.`,
            {
              since: stampOrNull(host.link_since)
            }
          )
        : because("up_to_date", "Nothing is pending.", { since })
    }
    const all = packages.map(({ reason }) => reason)
    if (all.every(({ code }) => code === "held")) return all[0] ?? unordered
    // What somebody can do something about comes before what only waits.
    const order: ReadonlyArray<ReasonCode> = [
      "failed",
      "plan_changed",
      "needs_decision",
      "error_limit",
      "unreachable",
      "unknown",
      "kept_back",
      "deferred"
    ]
    for (const code of order) {
      const found = all.find((reason) => reason.code === code)
      if (found) return found
    }
    return all.find(({ code }) => code !== "held") ?? unordered
  }
  return { host: ofHost(), packages }
}
