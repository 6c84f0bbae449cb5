/** What an order comes to on one host, from what is installed and offered there: the plan and the host's machine both ask here. */
import { matchesPattern } from "./Hold.ts"
import type { Order } from "./Order.ts"
import type { Change, PackageFormat, Selection } from "./Package.ts"
import { isReached } from "./Version.ts"

/** What a host has of the packages that were asked about. */
export interface HostOffer {
  /** Pending patches, from what is installed to what is offered. */
  readonly candidates: ReadonlyArray<Change>
  /** Null means not installed. */
  readonly installed: Readonly<Record<string, string | null>>
  readonly format: PackageFormat
}

/** A package that no longer stands as it did when the order was planned; null means not offered, or not installed. */
export interface PlanDifference {
  readonly name: string
  readonly planned: string | null
  readonly found: string | null
}

export interface OrderChanges {
  /** What has to be true afterwards, packages included that are there already. */
  readonly changes: ReadonlyArray<Change>
  /** Left alone because of a hold. */
  readonly held: ReadonlyArray<string>
  /** Where the host differs from the plan; `changes` takes what there is. */
  readonly differences: ReadonlyArray<PlanDifference>
  /** Installed by the run that is undone, and not to be removed by installing versions. */
  readonly stays: ReadonlyArray<string>
}

export type OrderedChanges = Pick<
  Order,
  "kind" | "selection" | "packages" | "planned" | "pin_versions" | "held" | "method"
>

const named = (names: ReadonlyArray<string>): Selection => ({ kind: "packages", names })

/** The packages that have to be looked at before such an order is sent. */
export const namesOfOrder = (order: OrderedChanges): Selection => {
  if (order.kind === "patch_apply" && order.planned === null) return order.selection
  if (order.kind === "patch_apply" || order.kind === "rollback") return named((order.planned ?? []).map(nameOf))
  return named(order.packages.map(nameOf))
}

const nameOf = ({ name }: { readonly name: string }): string => name

const pinned = (change: Change): Change => (change.to === null ? change : { ...change, goal: "exactly" })

interface Resolved {
  readonly change: Change | null
  readonly difference: PlanDifference | null
}

const keep = (change: Change): Resolved => ({ change, difference: null })

/** A planned patch against what the host offers now. */
const resolve = (planned: Change, pin: boolean, offer: HostOffer): Resolved => {
  const installed = offer.installed[planned.name] ?? null
  const wanted = pin ? pinned(planned) : planned
  const change: Change = { ...wanted, from: installed ?? planned.from }
  const candidate = offer.candidates.find(({ name }) => name === planned.name)
  const difference = (found: string | null): PlanDifference => ({ name: planned.name, planned: planned.to, found })
  if (planned.to === null) {
    if (candidate !== undefined) return keep({ ...change, to: candidate.to })
    // Somebody else brought something newer.
    return planned.from !== null && installed !== null && installed !== planned.from
      ? keep(planned)
      : { change: null, difference: difference(null) }
  }
  if (isReached(wanted, installed, offer.format)) return keep(change)
  if (wanted.goal === "exactly") {
    const newer = isReached({ name: planned.name, from: planned.from, to: planned.to }, installed, offer.format)
    return newer
      ? { change: { name: planned.name, from: installed, to: installed }, difference: difference(installed) }
      : keep(change)
  }
  if (candidate === undefined) return { change: null, difference: difference(null) }
  if (candidate.to === null || candidate.to === planned.to) return keep(change)
  return { change: { ...change, to: candidate.to }, difference: difference(candidate.to) }
}

const together = (all: ReadonlyArray<Resolved>): Pick<OrderChanges, "changes" | "differences"> => ({
  changes: all.flatMap(({ change }) => change ?? []),
  differences: all.flatMap(({ difference }) => difference ?? [])
})

/** A version from before against what is installed now: another one than the run had left is a difference. */
const undone = (planned: Change, offer: HostOffer): Resolved => {
  const installed = offer.installed[planned.name] ?? null
  const change: Change = { ...planned, from: installed, goal: planned.to === null ? "absent" : "exactly" }
  if (installed === planned.from || isReached(change, installed, offer.format)) return keep(change)
  return { change, difference: { name: planned.name, planned: planned.from, found: installed } }
}

const requested = (order: OrderedChanges, offer: HostOffer): ReadonlyArray<Change> =>
  order.packages.flatMap(({ name, version }): ReadonlyArray<Change> => {
    const from = offer.installed[name] ?? null
    if (order.kind === "package_remove") return [{ name, from, to: null, goal: "absent" }]
    if (order.kind === "package_install")
      return [{ name, from, to: version, goal: version === null ? "present" : "exactly" }]
    const candidate = offer.candidates.find((one) => one.name === name)
    return candidate === undefined ? [] : [{ name, from, to: candidate.to, goal: "at_least" }]
  })

/** Pure; what is held now counts, whatever was held when the order was planned. */
export const changesOfOrder = (order: OrderedChanges, offer: HostOffer): OrderChanges => {
  const nothing: OrderChanges = { changes: [], held: [], differences: [], stays: [] }
  const isHeld = ({ name }: { readonly name: string }): boolean =>
    order.held.some((pattern) => matchesPattern(pattern, name))
  const free = <A extends { readonly name: string }>(all: ReadonlyArray<A>): ReadonlyArray<A> =>
    all.filter((one) => !isHeld(one))
  const heldOf = (all: ReadonlyArray<{ readonly name: string }>) => all.filter(isHeld).map(nameOf)
  const { planned } = order

  switch (order.kind) {
    case "reboot":
      return nothing
    case "patch_apply": {
      if (planned !== null)
        return {
          ...nothing,
          ...together(free(planned).map((one) => resolve(one, order.pin_versions, offer))),
          held: heldOf(planned)
        }
      const candidates = free(offer.candidates)
      const changes = order.pin_versions ? candidates.map(pinned) : candidates
      return { ...nothing, changes, held: heldOf(offer.candidates) }
    }
    case "rollback": {
      if (planned === null) return nothing
      const held = heldOf(planned)
      // The agent's own rollback cannot leave a package out.
      if (order.method === "agent")
        return held.length > 0
          ? { ...nothing, held }
          : { ...nothing, ...together(planned.map((one) => undone(one, offer))) }
      const stays = free(planned).filter(({ to }) => to === null)
      const back = free(planned).filter(({ to }) => to !== null)
      return { ...nothing, ...together(back.map((one) => undone(one, offer))), held, stays: stays.map(nameOf) }
    }
    case "package_install":
    case "package_update":
    case "package_remove": {
      const changes = free(requested(order, offer))
      const held = heldOf(order.packages)
      if (order.kind !== "package_update" || planned === null) return { ...nothing, changes, held }
      const own = free(planned).filter(({ name }) => order.packages.some((one) => one.name === name))
      return { ...nothing, ...together(own.map((one) => resolve(one, false, offer))), held }
    }
  }
}
