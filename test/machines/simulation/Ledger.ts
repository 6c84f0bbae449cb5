/** What the manager wrote down and sent, held against what the host's ledger says was really done. */
import type { HostChangeCall, HostCommand } from "#core/HostCommand.ts"
import type { Baseline, Evidence } from "#core/HostEvent.ts"
import type { Order, Outcome } from "#core/Order.ts"
import type { Change } from "#core/Package.ts"
import type { SimulatedHost } from "./SimulatedHost.ts"

/** After these an order may end once more: the host came back late, or somebody decided. */
const correctable: ReadonlySet<string> = new Set(["no_return", "unresolved"])

/** With these nothing was sent, unless an earlier try of the order had been. */
const unsent: ReadonlySet<string> = new Set([
  "plan_changed",
  "pre_check_failed",
  "nothing_to_do",
  "deferred",
  "cancelled",
  "refused"
])

interface Ordered {
  readonly order: Order
  readonly at: number
  readonly outcomes: Array<Outcome>
  /** Units as the first baseline found them. */
  before: Baseline["services"] | undefined
}

const sentPackages = (
  call: HostChangeCall
): ReadonlyArray<{ readonly name: string; readonly version: string | null }> => {
  switch (call.kind) {
    case "Apply":
      return call.names.map((name) => ({ name, version: null }))
    case "Install":
      return call.packages
    case "Update":
    case "Remove":
      return [{ name: call.name, version: null }]
    default:
      return []
  }
}

/** Patterns here are whole names, or a beginning and a star. */
const isHeld = (order: Order, name: string): boolean =>
  order.held.some((pattern) => (pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : pattern === name))

const fulfilled = ({ goal, to }: Change, installed: number): boolean => {
  if (goal === "absent") return installed === 0
  if (goal === "present") return installed > 0
  return goal === "exactly" ? installed === Number(to) : installed >= Number(to)
}

export class Ledger {
  readonly broken: Array<string> = []
  readonly orders = new Map<string, Ordered>()
  readonly sent = new Map<string, number>()
  private readonly open = new Set<string>()
  private readonly verdicts = new Map<string, string>()
  private current: Ordered | undefined
  private baseline: Baseline | undefined
  private evidence: Evidence | undefined

  ordered(order: Order, at: number): void {
    this.current = { order, at, outcomes: [], before: undefined }
    this.orders.set(order.id, this.current)
    this.baseline = undefined
    this.evidence = undefined
  }

  looked(baseline: Baseline): void {
    this.baseline = baseline
    if (this.current !== undefined) this.current.before ??= baseline.services
  }

  proved(evidence: Evidence): void {
    this.evidence = evidence
  }

  committed(command: HostCommand, host: SimulatedHost, settledByHand: boolean): void {
    if (command.kind === "IntentOpened") {
      if (this.open.size > 0) this.broken.push(`${command.intent} is opened beside ${[...this.open].join()}`)
      if (this.verdicts.has(command.intent)) this.broken.push(`${command.intent} is opened twice`)
      this.open.add(command.intent)
    }
    if (command.kind === "IntentClosed") {
      if (!this.open.delete(command.intent)) this.broken.push(`${command.intent} is closed and was not open`)
      this.verdicts.set(command.intent, command.verdict)
    }
    if (command.kind === "Ended") this.ended(command.outcome, host, settledByHand)
  }

  /** A mutating call leaves the manager. */
  leaves(call: HostChangeCall, at: number): void {
    const { intent } = call
    if (!this.open.has(intent)) this.broken.push(`${intent} is sent without being written down`)
    const count = (this.sent.get(intent) ?? 0) + 1
    this.sent.set(intent, count)
    if (count > 1) this.broken.push(`${intent} is sent twice`)
    const order = this.current?.order
    if (order === undefined || order.id !== intent.split("/")[0])
      return void this.broken.push(`${intent} is sent for an order that is not carried`)
    const { closes_at } = order
    if (closes_at !== null && at + (call.kind === "Reboot" ? 0 : order.expected_ms) > closes_at)
      this.broken.push(`${intent} is sent and does not fit its window`)
    if (call.kind === "Reboot") return
    this.agreesWithPlan(call, order)
    this.passedItsChecks(intent, order)
  }

  private agreesWithPlan(call: HostChangeCall, order: Order): void {
    const { intent } = call
    const packages = sentPackages(call)
    if (packages.length === 0 && call.kind !== "Rollback") this.broken.push(`${intent} is sent without packages`)
    for (const { name, version } of packages) {
      if (isHeld(order, name)) this.broken.push(`${intent} changes ${name}, which is held`)
      if (order.planned === null || order.on_change === "take") continue
      const planned = order.planned.find((change) => change.name === name)
      if (planned === undefined) this.broken.push(`${intent} changes ${name}, which was not planned`)
      const offered = this.baseline?.changes.find((change) => change.name === name)
      const sends = version ?? offered?.to
      if (order.kind !== "package_remove" && planned !== undefined && sends !== planned.to)
        this.broken.push(`${intent} takes ${name} to ${String(sends)}, planned was ${String(planned.to)}`)
    }
  }

  private passedItsChecks(intent: string, order: Order): void {
    const seen = this.baseline
    if (seen === undefined) return void this.broken.push(`${intent} is sent without a look at the host`)
    const states = order.services.map((unit) => seen.services[unit])
    if (states.includes("down")) this.broken.push(`${intent} is sent though a service is down`)
    if (order.pre_check.degraded === "stop" && seen.degraded !== null)
      this.broken.push(`${intent} is sent to a degraded host`)
    if (order.pre_check.unknown === "stop" && (states.includes("unknown") || seen.database_clean === null))
      this.broken.push(`${intent} is sent though its checks cannot be known`)
  }

  finish(host: SimulatedHost, resting: boolean): void {
    this.broken.push(...host.broken)
    const effects = new Map<string, number>()
    const starts = new Map<string, number>()
    for (const { intent, action, effective } of host.ledger.starts) {
      const order = intent.split("/")[0] ?? ""
      starts.set(intent, (starts.get(intent) ?? 0) + 1)
      if (effective && this.verdicts.get(intent) === "no_effect")
        this.broken.push(`${intent} was closed as without effect, but had one`)
      if (effective && action === "reboot") effects.set(order, (effects.get(order) ?? 0) + 1)
      const last = this.orders.get(order)?.outcomes.at(-1)
      if (effective && last !== undefined && unsent.has(last.verdict) && !last.ran)
        this.broken.push(`${order} ended as ${last.verdict}, as if nothing had been done, but ${intent} had an effect`)
    }
    for (const [intent, count] of starts) if (count > 1) this.broken.push(`${intent} is started twice`)
    for (const [order, count] of effects) if (count > 1) this.broken.push(`${order} restarted the host twice`)
    for (const [order, { outcomes }] of this.orders)
      if (resting && outcomes.length === 0) this.broken.push(`${order} never ended`)
  }

  private ended(outcome: Outcome, host: SimulatedHost, settledByHand: boolean): void {
    const ordered = this.orders.get(outcome.order_id)
    if (ordered === undefined) {
      this.broken.push(`${outcome.order_id} ended and was never ordered`)
      return
    }
    const last = ordered.outcomes.at(-1)
    if (last !== undefined && !correctable.has(last.verdict))
      this.broken.push(`${outcome.order_id} ended as ${last.verdict} and again as ${outcome.verdict}`)
    ordered.outcomes.push(outcome)
    if (outcome.verdict !== "done" || settledByHand) return
    for (const change of outcome.changes)
      if (!fulfilled(change, host.packages.get(change.name)?.installed ?? 0))
        this.broken.push(`${outcome.order_id} is done without evidence: ${change.name} is not ${String(change.to)}`)
    for (const [unit, before] of Object.entries(ordered.before ?? {}))
      if (before === "up" && this.evidence?.services[unit] === "down")
        this.broken.push(`${outcome.order_id} is done though ${unit} went down`)
    if (outcome.rebooted && !host.ledger.boots.some(({ at }) => at > ordered.at))
      this.broken.push(`${outcome.order_id} claims a restart that never was`)
  }
}
