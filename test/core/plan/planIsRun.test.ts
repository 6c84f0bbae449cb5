import { describe, expect, it } from "vitest"
import { namesOfOrder } from "#core/changesOfOrder.ts"
import { decide, type Decision } from "#core/Dispatch.ts"
import type { Baseline } from "#core/HostEvent.ts"
import { type Order, orderDefaults } from "#core/Order.ts"
import { expandSelection } from "#core/Package.ts"
import { type HostPlan, makePlan, patternsOf } from "#core/plan/makePlan.ts"
import type { PlanHost, PlanJob } from "#core/plan/PlanFacts.ts"
import { windowMoment } from "#core/plan/windowMoment.ts"
import { reasonsFor } from "#core/reason/reasonsFor.ts"
import { isReached } from "#core/Version.ts"
import { Drive } from "#test/machines/Drive.ts"
import { mixSeed, seeded, type Seeded } from "#test/fleet/Seeded.ts"
import { anOpenShare, aReasonHost, HOUR, jobId, NOON, orderId } from "./planFixtures.ts"
import { type Happening, happen, happenings, pick, randomHost, randomJob } from "./randomPlans.ts"

const SEED = 20261122
const CASES = 10_000

/** The order as the dispatcher hands it to the host. */
const orderFor = (job: PlanJob, plan: HostPlan, host: PlanHost, at: number, closes_at: number | null): Order => ({
  ...orderDefaults,
  id: orderId(),
  job_id: jobId(),
  kind: job.kind,
  selection: job.selection,
  packages: job.packages,
  planned: plan.planned,
  on_change: job.on_change,
  pin_versions: job.pin_versions,
  held: patternsOf(host.holds, at),
  pre_check: job.pre_check,
  method: job.method,
  reboot: job.reboot,
  reboot_delay_seconds: 0,
  closes_at,
  expected_ms: host.expected_seconds * 1000
})

/** What the host's agent says when its machine asks. */
const baselineOf = (order: Order, host: PlanHost, at: number): Partial<Baseline> => {
  const installed = Object.assign(Object.create(null), host.installed)
  for (const name of Object.keys(installed)) if (installed[name] === null) delete installed[name]
  const patches = (host.patches ?? []).map((one) => ({
    ...one,
    severity: "unknown" as const,
    description: "",
    cve_ids: []
  }))
  const selection = namesOfOrder(order)
  const changes = expandSelection(selection, patches, installed)
  const asked = selection.kind === "packages" ? selection.names : changes.map(({ name }) => name)
  return {
    at,
    changes,
    installed: Object.fromEntries(asked.map((name) => [name, installed[name] ?? null])),
    format: host.format,
    reboot_needed: host.reboot_needed
  }
}

interface Ran {
  /** `sent`, or how it ended without anything being sent. */
  readonly what: string
  /** name, from and to of what it set out to change and had not yet. */
  readonly changes: ReadonlyArray<string>
  readonly reboots: boolean
}

const line = ({ name, from, to }: { name: string; from: string | null; to: string | null }): string =>
  `${name} ${from} ${to}`

/** The host's real machine takes the order, the baseline, and the evidence that all went well. */
const run = (
  job: PlanJob,
  plan: HostPlan,
  host: PlanHost,
  at: number,
  closes_at: number | null,
  owed: boolean | null
): Ran => {
  const drive = new Drive()
  drive.at = at
  const order = orderFor(job, plan, host, at, closes_at)
  drive.send({ type: "order", order, by: "test" })
  const baseline = baselineOf(order, host, at)
  drive.baseline(baseline)
  const before = baseline.installed ?? {}
  const open = drive.context.changes.filter((change) => !isReached(change, before[change.name] ?? null, host.format))
  const sent = drive.calls.find((call) => ["Apply", "Install", "Update", "Remove", "Rollback"].includes(call))
  if (sent !== undefined) {
    const command = drive.commands.find(({ kind }) => kind === sent)
    const names = JSON.stringify(command)
    for (const { name } of open) expect(names).toContain(`"${name}"`)
    drive.accepted().job({})
  }
  if (drive.work === "patching.verifying") {
    const after = Object.fromEntries(
      drive.context.changes.map(({ name, to, goal }) => [name, goal === "absent" ? null : (to ?? "9.9")])
    )
    drive.send({
      type: "evidence",
      evidence: {
        at,
        installed: { ...before, ...after },
        uptime_seconds: 100_000,
        reboot_needed: owed,
        database_clean: true,
        active_job_id: null,
        services: {}
      }
    })
  }
  const reboots = drive.work === "rebooting.leaving"
  if (sent === undefined && !reboots) return { what: drive.verdicts[0] ?? drive.work, changes: [], reboots: false }
  return { what: "sent", changes: sent === undefined ? [] : open.map(line).toSorted(), reboots }
}

/** Whether the host was said to restart, given what it will owe. */
const rebootAsSaid = (plan: HostPlan, ran: Ran, owed: boolean | null): boolean => {
  const { reboot } = plan.shown
  if (reboot === "yes") return ran.reboots
  if (reboot === "no") return !ran.reboots
  return ran.reboots === (owed === true)
}

const decideFor = (job: PlanJob, plan: HostPlan, host: PlanHost, at: number, open: number): Decision =>
  decide({
    at,
    skew_ms: 0,
    job: {
      when: job.when.kind === "at" ? { kind: "at", at: Date.parse(job.when.at) } : job.when,
      ignore_blackout: job.ignore_blackout,
      cancelled_by: null,
      paused_by: null,
      stopped_reason: null,
      expires_at: job.expires_at,
      current_wave: 1,
      max_concurrency: job.max_concurrency,
      open
    },
    order: { wave: plan.shown.wave, expected_seconds: host.expected_seconds },
    host: {
      lost: host.parked,
      leaving: host.leaving,
      link: host.link,
      busy_with: host.busy_with,
      unresolved: host.unresolved
    },
    windows: windowMoment(host.windows, at)
  })

/** What was said of the run, in the words of what it does. */
const foretold = (plan: HostPlan, job: PlanJob): ReadonlyArray<string> | null =>
  plan.shown.changes === null
    ? null
    : plan.shown.changes
        .filter(({ goal }) => !(job.kind === "rollback" && goal === "absent"))
        .map(line)
        .toSorted()

const packageCauses: ReadonlyArray<Happening> = ["new_candidate", "withdrawn", "by_hand", "more_patches"]

/** Which happenings explain that the run is another one than the plan; null where it is as planned. */
const difference = (
  job: PlanJob,
  plan: HostPlan,
  decision: Decision,
  ran: Ran | null,
  owed: boolean | null
): { readonly what: string; readonly causes: ReadonlyArray<Happening> } | null => {
  const { shown } = plan
  if (decision.kind === "end") {
    if (shown.skipped === "leaving" || shown.skipped === "parked" || shown.starts_at === null) return null
    return { what: `ended: ${decision.message}`, causes: ["leaving", "parked", "windows_changed"] }
  }
  if (decision.kind === "wait") {
    if (shown.starts_at === null) return null
    const { code } = decision.reason
    const causes: ReadonlyArray<Happening> =
      code === "blocked_by_job" ? ["busy"] : code === "needs_decision" ? ["unresolved"] : ["windows_changed"]
    return { what: `waits: ${code}`, causes }
  }
  const said = foretold(plan, job)
  if (ran === null || said === null) return null
  const others: ReadonlyArray<Happening> = [...packageCauses, "hold_added", "hold_ended", "reboot_owed"]
  if (ran.what === "plan_changed") return { what: ran.what, causes: packageCauses }
  const nothing = ran.what === "nothing_to_do" || ran.what === "done"
  const changes = JSON.stringify(said) === JSON.stringify(ran.changes)
  if (changes && (ran.what === "sent" || nothing) && rebootAsSaid(plan, ran, owed)) return null
  return {
    what: `${ran.what === "sent" ? "changes" : ran.what} ${ran.changes.join(", ")} ${ran.reboots}`,
    causes: others
  }
}

const told: Record<string, number> = {}
const count = (what: string): void => {
  told[what] = (told[what] ?? 0) + 1
}

const oneCase = (seed: number): void => {
  const random: Seeded = seeded(seed)
  const hosts = Array.from({ length: random.int(1, 3) }, (_, n) => randomHost(random, n + 1))
  const job = randomJob(random, hosts.length)
  const plans = makePlan(job, hosts, NOON)
  const opened = new Map<number, number>()
  plans.forEach((plan, index) => {
    const before = hosts[index]!
    const what: Array<Happening> =
      random.next() < 0.4 ? [] : Array.from({ length: random.int(1, 3) }, () => pick(random, happenings))
    const host = what.reduce((changed, one) => happen(random, changed, one), before)
    const starts = plan.shown.starts_at === null ? null : Date.parse(plan.shown.starts_at)
    const at = starts ?? NOON + random.int(0, 48) * HOUR
    // A job that was at work when the plan was made has ended by its window, or the plan would not name a time.
    const later = starts !== null && starts > NOON && !what.includes("busy") ? { ...host, busy_with: null } : host
    // A hold that ends by itself before the run is one that has ended.
    const expired = before.holds.some(({ until_ms }) => until_ms !== null && until_ms > NOON && until_ms <= at)
    const open = opened.get(at) ?? 0
    const decision = decideFor(job, plan, later, at, starts === null ? 0 : open)
    if (starts !== null) opened.set(at, open + 1)
    // What is owed stays owed; a run may add to it, where the agent can tell at all.
    const owed =
      later.reboot_needed === false && random.next() < 0.3 && (plan.shown.changes?.length ?? 1) > 0
        ? true
        : later.reboot_needed
    const ran = decision.kind === "start" ? run(job, plan, later, at, decision.closes_at, owed) : null
    const found = difference(job, plan, decision, ran, owed)
    if (found === null) {
      count(what.length === 0 ? "as planned, nothing happened" : "as planned, although something happened")
      if (ran?.what === "sent") count("as planned, sent")
      return
    }
    const causes = found.causes.filter((cause) => what.includes(cause) || (cause === "hold_ended" && expired))
    if (causes.length === 0) {
      throw new Error(
        `Seed ${seed}, host ${index + 1}: ${found.what}, without a cause (${what.join()}).\n${JSON.stringify({ job, shown: plan.shown, planned: plan.planned, before, host: later, ran }, null, 1)}`
      )
    }
    count(`explained: ${found.what.split(/[: ]/)[0]}`)
  })
}

describe("what a plan says", () => {
  it(`is what the host's machine then does, in ${CASES} random cases`, () => {
    for (let n = 0; n < CASES; n++) oneCase(mixSeed(SEED, n))
    const least = {
      "as planned, nothing happened": 5000,
      "as planned, although something happened": 5000,
      "as planned, sent": 1500,
      "explained: plan_changed": 50,
      "explained: changes": 50,
      "explained: nothing_to_do": 25,
      "explained: waits": 500,
      "explained: ended": 500
    }
    for (const [what, times] of Object.entries(least)) expect([what, (told[what] ?? 0) > times]).toEqual([what, true])
  }, 120_000)
})

describe("a reason", () => {
  it(`is what the dispatcher then does, in ${CASES} random cases`, () => {
    const seen = new Set<string>()
    for (let n = 0; n < CASES; n++) {
      const random = seeded(mixSeed(SEED + 1, n))
      const host = randomHost(random, 1)
      const job = randomJob(random, 1)
      const [plan] = makePlan({ ...job, kind: "patch_apply", packages: [] }, [host], NOON)
      const at = NOON + random.int(0, 48) * HOUR
      const facts = {
        when: job.when.kind === "at" ? { kind: "at" as const, at: Date.parse(job.when.at) } : job.when,
        ignore_blackout: job.ignore_blackout,
        cancelled_by: random.next() < 0.05 ? "ann" : null,
        paused_by: random.next() < 0.1 ? "ann" : null,
        stopped_reason: random.next() < 0.05 ? "4 hosts failed." : null,
        expires_at: random.next() < 0.1 ? at - HOUR : job.expires_at,
        current_wave: 1,
        max_concurrency: job.max_concurrency,
        open: random.int(0, 4)
      }
      const order = { wave: random.int(1, 2), expected_seconds: host.expected_seconds }
      const skew_ms = random.next() < 0.05 ? random.int(-200_000, 200_000) : 0
      const decision = decide({
        at,
        skew_ms,
        job: facts,
        order,
        host: { lost: false, leaving: false, link: host.link, busy_with: host.busy_with, unresolved: host.unresolved },
        windows: windowMoment(host.windows, at)
      })
      const { host: reason, packages } = reasonsFor(
        aReasonHost({
          skew_ms,
          link: host.link,
          unresolved: host.unresolved,
          patches: [
            { name: "curl", current_version: "1.0", available_version: "1.4", security: true, requires_reboot: false }
          ],
          windows: host.windows,
          open: [
            anOpenShare({
              state: pick(random, ["queued", "waiting", "deferred"]),
              job: facts,
              order,
              busy_with: host.busy_with
            })
          ]
        }),
        at
      )
      expect(plan).toBeDefined()
      const expected =
        decision.kind === "start"
          ? [host.link === "unreachable" ? "unreachable" : "starting"]
          : decision.kind === "wait"
            ? [decision.reason.code]
            : [
                { stopped: "error_limit", deferred: "deferred", cancelled: "cancelled", unavailable: "parked" }[
                  decision.verdict
                ]
              ]
      seen.add(reason.code)
      // A host that waits for a decision says so before anything else.
      if (host.unresolved && reason.code === "needs_decision") continue
      expect([mixSeed(SEED + 1, n), reason.code, packages[0]?.reason.code]).toEqual([
        mixSeed(SEED + 1, n),
        expected[0],
        expected[0]
      ])
    }
    for (const code of [
      "starting",
      "waiting_for_window",
      "window_too_short",
      "scheduled",
      "blackout",
      "no_window",
      "blocked_by_job",
      "concurrency_limit",
      "wave_not_reached",
      "paused",
      "error_limit",
      "needs_decision",
      "deferred",
      "cancelled",
      "unreachable"
    ]) {
      expect(seen).toContain(code)
    }
  }, 120_000)
})
