/** What the manager wrote down and sent, held against what the host's ledger says was really done. */
import type { HostCommand } from "#core/HostCommand.ts"
import type { Outcome } from "#core/Order.ts"
import type { SimulatedHost } from "./SimulatedHost.ts"

/** After these an order may end once more: the host came back late, or somebody decided. */
const correctable: ReadonlySet<string> = new Set(["no_return", "unresolved"])

export class Ledger {
  readonly broken: Array<string> = []
  readonly outcomes = new Map<string, Array<Outcome>>()
  readonly sent = new Map<string, number>()
  private readonly open = new Set<string>()
  private readonly verdicts = new Map<string, string>()
  private readonly orderedAt = new Map<string, number>()

  ordered(order: string, at: number): void {
    this.orderedAt.set(order, at)
    this.outcomes.set(order, [])
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
  leaves(intent: string): void {
    if (!this.open.has(intent)) this.broken.push(`${intent} is sent without being written down`)
    const count = (this.sent.get(intent) ?? 0) + 1
    this.sent.set(intent, count)
    if (count > 1) this.broken.push(`${intent} is sent twice`)
  }

  finish(host: SimulatedHost, resting: boolean): void {
    this.broken.push(...host.broken)
    const effects = new Map<string, number>()
    const starts = new Map<string, number>()
    for (const { intent, action, effective } of host.ledger.starts) {
      starts.set(intent, (starts.get(intent) ?? 0) + 1)
      if (effective && this.verdicts.get(intent) === "no_effect")
        this.broken.push(`${intent} was closed as without effect, but had one`)
      if (effective && action === "reboot") {
        const order = intent.split("/")[0] ?? ""
        effects.set(order, (effects.get(order) ?? 0) + 1)
      }
    }
    for (const [intent, count] of starts) if (count > 1) this.broken.push(`${intent} is started twice`)
    for (const [order, count] of effects) if (count > 1) this.broken.push(`${order} restarted the host twice`)
    for (const [order, outcomes] of this.outcomes)
      if (resting && outcomes.length === 0) this.broken.push(`${order} never ended`)
  }

  private ended(outcome: Outcome, host: SimulatedHost, settledByHand: boolean): void {
    const earlier = this.outcomes.get(outcome.order_id)
    if (earlier === undefined) {
      this.broken.push(`${outcome.order_id} ended and was never ordered`)
      return
    }
    const last = earlier.at(-1)
    if (last !== undefined && !correctable.has(last.verdict))
      this.broken.push(`${outcome.order_id} ended as ${last.verdict} and again as ${outcome.verdict}`)
    earlier.push(outcome)
    if (outcome.verdict !== "done" || settledByHand) return
    for (const { name, to } of outcome.changes)
      if (Number(host.packages.get(name)?.installed) < Number(to))
        this.broken.push(`${outcome.order_id} is done without evidence: ${name} is not ${String(to)}`)
    const since = this.orderedAt.get(outcome.order_id) ?? 0
    if (outcome.rebooted && !host.ledger.boots.some(({ at }) => at > since))
      this.broken.push(`${outcome.order_id} claims a restart that never was`)
  }
}
