/** Rules about the charts themselves: what no event sequence has to find. */
import { describe, expect, it } from "vitest"
import type { AnyStateMachine, AnyStateNode } from "xstate"
import { LinkState, WorkState } from "#core/HostState.ts"
import { JobState } from "#core/JobState.ts"
import type { HostCallName } from "#machines/hostActions.ts"
import { leavesOf } from "#machines/allowedTransitions.ts"
import { hostMachine } from "#machines/hostMachine.ts"
import { jobMachine } from "#machines/jobMachine.ts"
import { Drive } from "./Drive.ts"

const nodesOf = (node: AnyStateNode): Array<AnyStateNode> => [node, ...Object.values(node.states).flatMap(nodesOf)]

const lineage = (node: AnyStateNode): Array<AnyStateNode> =>
  node.parent === undefined ? [node] : [node, ...lineage(node.parent)]

const callsOnEntry = (node: AnyStateNode): ReadonlyArray<string> =>
  node.entry.flatMap((action) => {
    const { type, params } = action as { readonly type: string; readonly params?: unknown }
    return type === "call" || type === "ask" ? [String(params ?? type)] : []
  })

const machines: ReadonlyArray<[string, AnyStateMachine]> = [
  ["host", hostMachine],
  ["job", jobMachine]
]

describe.each(machines)("the %s machine", (_, machine) => {
  const nodes = nodesOf(machine.root)

  it("has plain ids, each once", () => {
    for (const { id } of nodes) expect(id).toMatch(/^[a-z_]+$/i)
    expect(new Set(nodes.map(({ id }) => id)).size).toBe(nodes.length)
  })

  it("names its delays, and each exists and is finite", () => {
    for (const node of nodes)
      for (const { eventType, delay } of node.after) {
        expect(eventType).toBe(`xstate.after.${String(delay)}.${node.id}`)
        expect(Object.keys(machine.implementations.delays)).toContain(delay)
      }
  })

  it("leaves a state at its deadline, or enters it anew", () => {
    for (const node of nodes)
      for (const { target, reenter } of node.after) {
        expect(target, node.id).toBeDefined()
        if (target?.includes(node)) expect(reenter, node.id).toBe(true)
      }
  })

  it("bounds every state that is neither final nor at rest", () => {
    for (const leaf of leavesOf(machine.root)) {
      const line = lineage(leaf)
      const resting = leaf.type === "final" || line.some((node) => node.tags.includes("rest"))
      const busy = line.some((node) => node.tags.includes("busy"))
      expect(resting, `${leaf.id} is either at rest or busy`).not.toBe(busy)
      if (busy)
        expect(
          line.some((node) => node.after.length > 0),
          leaf.id
        ).toBe(true)
    }
  })

  it("never leaves at once a state that calls on entry, except one that only reads", () => {
    for (const node of nodes)
      if (callsOnEntry(node).length > 0 && node.id !== "preparing") expect(node.always ?? [], node.id).toEqual([])
  })

  it("tells the operator about each state and each limit", () => {
    for (const node of nodes.slice(1)) {
      if (node.id === "link" || node.id === "work") continue
      const meta = node.meta as { words?: string; limit?: { delay: string } } | undefined
      expect(meta?.words, node.id).toBeTruthy()
      expect(meta?.limit?.delay ?? null, node.id).toBe(node.after[0]?.delay ?? null)
    }
  })

  it("takes no event that it does not know", () => {
    for (const node of nodes) expect([...node.transitions.keys()]).not.toContain("*")
  })
})

it("makes a mutating call in two states only, on entry", () => {
  const mutating: ReadonlyArray<HostCallName> = ["change", "reboot"]
  const found = nodesOf(hostMachine.root).flatMap((node) =>
    callsOnEntry(node).flatMap((name) => (mutating.some((one) => one === name) ? [`${node.id} ${name}`] : []))
  )
  expect(found).toEqual(["dispatching change", "leaving reboot"])
  const elsewhere = nodesOf(hostMachine.root).flatMap((node) =>
    [...node.transitions.values()].flat().flatMap(({ actions }) => actions.map((action) => JSON.stringify(action)))
  )
  for (const action of elsewhere) expect(action).not.toMatch(/"params":"(change|reboot)"/)
})

it("bumps the number of the call when a state with a call is left", () => {
  for (const node of nodesOf(hostMachine.root))
    if (callsOnEntry(node).length > 0) expect(node.exit[0], node.id).toEqual({ type: "note", params: ["next"] })
})

it("has the words of the core, no more and no less", () => {
  const spelled = (region: "link" | "work") => {
    const root = hostMachine.root.states["managed"]?.states[region]
    if (root === undefined) throw new Error(region)
    return [...leavesOf(root).map(({ path }) => path.slice(2).join(".")), "retired"].sort()
  }
  expect(spelled("work")).toEqual([...WorkState.literals].sort())
  expect(spelled("link")).toEqual([...LinkState.literals].sort())
  for (const { key } of leavesOf(jobMachine.root)) expect(JobState.literals).toContain(key)
})

it("gives finite delays in every place", () => {
  for (const place of [
    "patching.preparing",
    "rebooting.leaving",
    "rebooting.away",
    "settling.quiet",
    "retrying"
  ] as const)
    for (const due of new Drive().to(place).timers.values()) expect(Number.isFinite(due)).toBe(true)
})
