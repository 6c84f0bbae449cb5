/**
 * The transitions that a machine's definition allows, as rows for the database, which refuses every other.
 * A region that an event leaves where it is needs no row.
 */
import type { AnyStateMachine, AnyStateNode } from "xstate"
import { hostMachine, machineVersion } from "./hostMachine.ts"
import { jobMachine, jobMachineVersion } from "./jobMachine.ts"

export interface AllowedTransition {
  readonly machine: "host" | "job"
  readonly version: number
  readonly region: "link" | "work" | "job"
  readonly from: string
  readonly event: string
  readonly to: string
}

const isLeaf = (node: AnyStateNode): boolean => node.type === "atomic" || node.type === "final"

export const leavesOf = (node: AnyStateNode): Array<AnyStateNode> =>
  isLeaf(node) ? [node] : Object.values(node.states).flatMap(leavesOf)

const initialLeaf = (node: AnyStateNode): AnyStateNode => {
  if (isLeaf(node)) return node
  const [first] = node.initial.target ?? []
  if (first === undefined) throw new Error(`the state ${node.id} has no initial state`)
  return initialLeaf(first)
}

const lineage = (node: AnyStateNode, region: AnyStateNode): Array<AnyStateNode> =>
  node === region || node.parent === undefined ? [node] : [node, ...lineage(node.parent, region)]

type Transition = NonNullable<AnyStateNode["always"]>[number]

/** A place that can be reached, and the conditions under which it is. */
interface Reached {
  readonly leaf: AnyStateNode
  readonly conditions: ReadonlyArray<string>
}

/** The named conditions of a guard of the host machine; none for others. */
const conditionsOf = ({ guard }: Transition): ReadonlyArray<string> => {
  const params: unknown = typeof guard === "object" && guard !== null && "params" in guard ? guard.params : undefined
  return Array.isArray(params) ? params.map(String) : []
}

const contradict = (left: ReadonlyArray<string>, right: ReadonlyArray<string>): boolean =>
  left.some((one) => right.includes(`!${one}`)) || right.some((one) => left.includes(`!${one}`))

/** Where transitions can lead from a leaf; the leaf itself where only context changes. */
const targets = (leaf: AnyStateNode, transitions: ReadonlyArray<Transition>): Array<Reached> =>
  transitions.flatMap((transition) => {
    const conditions = conditionsOf(transition)
    if (transition.target !== undefined)
      return transition.target.map((target) => ({ leaf: initialLeaf(target), conditions }))
    return transition.actions.length > 0 ? [{ leaf, conditions }] : []
  })

/** Own transitions and those of ancestors, up to the first that needs no guard. */
const responses = (leaf: AnyStateNode, region: AnyStateNode, event: string): Array<Reached> => {
  const found: Array<Reached> = []
  for (const node of lineage(leaf, region)) {
    const transitions = node.transitions.get(event) ?? []
    found.push(...targets(leaf, transitions))
    if (transitions.some((transition) => transition.guard === undefined)) break
  }
  return found
}

const eventsOf = (leaf: AnyStateNode, region: AnyStateNode): ReadonlySet<string> =>
  new Set(lineage(leaf, region).flatMap((node) => [...node.transitions.keys()]))

/** A leaf that is entered may be left again at once, unless what led there rules it out. */
const closure = (first: ReadonlyArray<Reached>, region: AnyStateNode): ReadonlySet<AnyStateNode> => {
  const all = new Set<AnyStateNode>()
  const visit = ({ leaf, conditions }: Reached): void => {
    all.add(leaf)
    const next = lineage(leaf, region)
      .flatMap((node) => targets(leaf, node.always ?? []))
      .filter((one) => one.leaf !== leaf && !contradict(one.conditions, conditions))
    for (const one of next) visit({ leaf: one.leaf, conditions: [...conditions, ...one.conditions] })
  }
  first.forEach(visit)
  return all
}

const spelling = (leaf: AnyStateNode, region: AnyStateNode): string =>
  leaf.path.slice(0, region.path.length).join(".") === region.path.join(".")
    ? leaf.path.slice(region.path.length).join(".")
    : leaf.path.join(".")

const pairs = (region: AnyStateNode): Array<{ readonly from: string; readonly event: string; readonly to: string }> =>
  leavesOf(region).flatMap((leaf) =>
    [...eventsOf(leaf, region)].flatMap((event) =>
      [...closure(responses(leaf, region, event), region)].map((to) => ({
        from: spelling(leaf, region),
        event,
        to: spelling(to, region)
      }))
    )
  )

const stateAt = (machine: AnyStateMachine, ...path: ReadonlyArray<string>): AnyStateNode =>
  path.reduce((node, key) => {
    const child = node.states[key]
    if (child === undefined) throw new Error(`the ${machine.id} machine has no state ${path.join(".")}`)
    return child
  }, machine.root)

const hostRows = (machine: AnyStateMachine): ReadonlyArray<AllowedTransition> => {
  const row = (region: "link" | "work") => (pair: { from: string; event: string; to: string }) => ({
    machine: "host" as const,
    version: machineVersion,
    region,
    ...pair
  })
  const linkRegion = stateAt(machine, "managed", "link")
  const work = pairs(stateAt(machine, "managed", "work")).map(row("work"))
  const retiring = new Set(work.filter(({ to }) => to === "retired").map(({ event }) => event))
  const removed = leavesOf(linkRegion).flatMap((leaf) =>
    [...retiring].map((event) => row("link")({ from: leaf.key, event, to: "retired" }))
  )
  return [...pairs(linkRegion).map(row("link")), ...removed, ...work]
}

const jobRows = (machine: AnyStateMachine): ReadonlyArray<AllowedTransition> =>
  pairs(machine.root).map((pair) => ({ machine: "job", version: jobMachineVersion, region: "job", ...pair }))

/** All rows of this release, for both machines. */
export const allowedTransitions = (): ReadonlyArray<AllowedTransition> => [
  ...hostRows(hostMachine),
  ...jobRows(jobMachine)
]
