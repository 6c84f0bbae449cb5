/** Operators: they order, change their minds, remove hosts, and decide what the machine cannot. */
import { AgentJobId, type JobId, OrderId } from "#core/Ids.ts"
import { type Order, orderDefaults } from "#core/Order.ts"
import type { WorkState } from "#core/HostState.ts"
import type { Life } from "./Life.ts"
import { hours, minutes, seconds } from "./Scheduler.ts"

const by = "operator"

const idOf = (seed: number, n: number): string =>
  `01900000-0000-7${n.toString(16).padStart(3, "0")}-8000-${seed.toString(16).padStart(12, "0")}`

export class People {
  private readonly life: Life
  private readonly orders: number
  private ordered = 0

  constructor(life: Life) {
    this.life = life
    this.orders = 1 + Math.floor(life.chance() * 4)
  }

  /** One order after the other, also while the host is still busy; then the life may end. */
  nextOrder(): void {
    const { life } = this
    if (this.ordered === this.orders) return life.time.after(hours(5), () => life.endWhenAtRest(hours(24 * 30)))
    life.time.after(minutes(1 + life.chance() * 90), () => {
      if (life.chance() < 0.8) life.host.publish()
      const order = this.makeOrder(++this.ordered)
      if (life.chance() < 0.15) life.host.publish()
      life.deliver({ type: "order", at: life.time.now, order, by })
      if (life.chance() < 0.03) this.retire()
      if (life.chance() < 0.15) this.cancel(order.id)
      this.nextOrder()
    })
  }

  /** What people do about where the work stands now. */
  lookAt(work: WorkState): void {
    const { life } = this
    if (work === "retrying" && life.chance() < 0.1)
      life.time.after(seconds(20), () => life.deliver({ type: "retry.now", at: life.time.now, by }))
    if (work === "failed" && life.chance() < 0.2)
      life.time.after(minutes(life.chance() * 60), () => life.deliver({ type: "dismiss", at: life.time.now, by }))
    if (work === "unresolved")
      life.time.after(hours(2), () =>
        life.deliver(
          life.chance() < 0.4
            ? { type: "retry.now", at: life.time.now, by }
            : { type: "settle.by_hand", at: life.time.now, verdict: "not_effective", by }
        )
      )
  }

  private retire(): void {
    const { life } = this
    life.time.after(minutes(life.chance() * 20), () =>
      life.deliver({ type: "retire", at: life.time.now, force: life.chance() < 0.5, by })
    )
  }

  private cancel(order_id: OrderId): void {
    const { life } = this
    const soon = life.chance() < 0.5 ? seconds(life.chance() * 10) : minutes(life.chance() * 10)
    life.time.after(soon, () => life.deliver({ type: "cancel", at: life.time.now, order_id, by }))
  }

  private makeOrder(n: number): Order {
    const { chance, options, time } = this.life
    const policy = chance()
    const kind = kindOf(chance())
    const closes = chance() < 0.25
    return {
      ...orderDefaults,
      id: OrderId.make(idOf(options.seed, n)),
      job_id: idOf(options.seed, 100 + n) as JobId,
      kind,
      selection: chance() < 0.6 ? { kind: "all" } : { kind: "packages", names: ["pkg-0", "pkg-2"] },
      reboot: policy < 0.4 ? "never" : policy < 0.8 ? "if_needed" : "always",
      reboot_delay_seconds: chance() < 0.2 ? 60 : 0,
      closes_at: closes ? time.now + minutes(chance() * 60) : null,
      expected_ms: closes && chance() < 0.5 ? minutes(chance() * 20) : 0,
      on_change: chance() < 0.6 ? "stop" : "take",
      held: chance() < 0.15 ? ["pkg-1"] : chance() < 0.03 ? ["pkg-*"] : [],
      services: chance() < 0.4 ? ["nginx"] : [],
      pre_check: { degraded: chance() < 0.3 ? "stop" : "go", unknown: chance() < 0.2 ? "stop" : "go" },
      ...this.packagesOf(kind)
    }
  }

  /** What such an order says about packages, as somebody plans it who looks at the host now. */
  private packagesOf(kind: Order["kind"]): Partial<Order> {
    const { chance, host } = this.life
    switch (kind) {
      case "patch_apply": {
        if (chance() < 0.4) return {}
        const pending = [...host.packages].filter(
          ([, { installed, available }]) => installed > 0 && available > installed
        )
        const planned = pending.map(([name, { installed, available }]) => ({
          name,
          from: String(installed),
          to: String(available)
        }))
        return { planned, pin_versions: chance() < 0.3 }
      }
      case "package_install": {
        const version =
          chance() < 0.5 ? null : String(1 + Math.floor(chance() * (host.packages.get("extra")?.available ?? 1)))
        return { packages: [{ name: "extra", version }, ...(chance() < 0.3 ? [{ name: "pkg-1", version: null }] : [])] }
      }
      case "package_update":
        return { packages: [{ name: chance() < 0.8 ? "pkg-1" : "extra", version: null }] }
      case "package_remove":
        return { packages: [{ name: chance() < 0.7 ? "extra" : "pkg-3", version: null }] }
      case "rollback":
        return this.undoing()
      default:
        return {}
    }
  }

  /** Undoes the last job that changed anything; without one there is nothing planned. */
  private undoing(): Partial<Order> {
    const { chance, host } = this.life
    const job = host.jobs.find(({ before, operation }) => before.length > 0 && operation !== "rollback")
    const planned = (job?.before ?? []).map(([name, version]) => {
      const now = host.packages.get(name)?.installed ?? 0
      return { name, from: now === 0 ? null : String(now), to: version === 0 ? null : String(version) }
    })
    return job !== undefined && chance() < 0.5
      ? { planned, method: "agent", undone_agent_job_id: AgentJobId.make(job.id) }
      : { planned, method: "versions" }
  }
}

const kindOf = (share: number): Order["kind"] => {
  if (share < 0.1) return "reboot"
  if (share < 0.2) return "package_install"
  if (share < 0.28) return "package_update"
  if (share < 0.36) return "package_remove"
  return share < 0.5 ? "rollback" : "patch_apply"
}
