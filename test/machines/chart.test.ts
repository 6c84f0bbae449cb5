import { describe, expect, it } from "vitest"
import type { AnyStateNode } from "xstate"
import { allowedTransitions } from "#machines/allowedTransitions.ts"
import { activeIds, chartOf, edgeTaken } from "#machines/chart.ts"
import { hostMachine } from "#machines/hostMachine.ts"
import { jobMachine } from "#machines/jobMachine.ts"

const idsBelow = (node: AnyStateNode): Array<string> =>
  Object.values(node.states).flatMap((child) => [child.id, ...idsBelow(child)])

const pairsOf = (node: AnyStateNode): Array<string> => [
  ...[...node.transitions.values(), node.always ?? []]
    .flat()
    .flatMap(({ target, reenter }) =>
      (target ?? []).filter((to) => to !== node || reenter).map((to) => `${node.id}-${to.id}`)
    ),
  ...Object.values(node.states).flatMap(pairsOf)
]

describe.each([
  ["host", hostMachine],
  ["job", jobMachine]
])("the chart of the %s machine", (_, machine) => {
  const chart = chartOf(machine)

  it("has the machine's states and ways, each once", () => {
    expect(chart.nodes.map(({ id }) => id).sort()).toEqual(idsBelow(machine.root).sort())
    expect(chart.edges.map(({ id }) => id).sort()).toEqual([...new Set(pairsOf(machine.root))].sort())
  })

  it("names every way", () => {
    for (const { id, label } of chart.edges) expect(label, id).not.toBe("")
  })
})

describe("as the console draws it", () => {
  const chart = chartOf(hostMachine, ["settling"])

  it("folds what goes on inside settling", () => {
    expect(chart.nodes.find(({ id }) => id === "settling")?.kind).toBe("state")
    expect(chart.nodes.some(({ parent }) => parent === "settling")).toBe(false)
    expect(chart.edges.map(({ id }) => id)).toContain("settling-running")
    expect(chart.edges.map(({ id }) => id)).not.toContain("quiet-asking")
  })

  it("draws the usual ways as wires", () => {
    const wires = chart.edges.filter(({ stub }) => !stub).map(({ id, label }) => `${id}: ${label}`)
    expect(wires).toMatchInlineSnapshot(`
      [
        "unknown-healthy: healthy answer",
        "unknown-degraded: degraded answer",
        "unknown-unreachable: 3rd poll failed",
        "healthy-degraded: degraded answer",
        "healthy-unreachable: 3rd poll failed",
        "degraded-healthy: healthy answer",
        "degraded-unreachable: 3rd poll failed",
        "unreachable-healthy: healthy answer",
        "unreachable-degraded: degraded answer",
        "idle-preparing: order",
        "preparing-retrying: unavailable",
        "preparing-dispatching: baseline read",
        "dispatching-settling: no clear answer",
        "dispatching-running: accepted",
        "running-verifying: job completed",
        "running-retrying: failed, retryable",
        "running-failed: failed",
        "running-settling: job gone, rebooted, 45 min",
        "verifying-failed: not effective",
        "verifying-leaving: reboot",
        "verifying-idle: installed versions = target: done",
        "verifying-settling: deadline",
        "leaving-settling: no clear answer",
        "leaving-away: gone",
        "leaving-returning: booted",
        "away-returning: booted",
        "away-failed: no return",
        "returning-verifying: calm",
        "settling-running: job found",
        "settling-idle: target reached: done",
        "settling-retrying: no effect",
        "settling-unresolved: 24 h, gave up",
        "retrying-preparing: retry now, wait is over",
        "failed-preparing: new order",
      ]
    `)
  })

  it("finds the way that a recorded transition took", () => {
    const took = edgeTaken(chart, "work", { from: "settling.inspecting", event: "evidence", to: "idle" })
    expect(took?.id).toBe("settling-idle")
    expect(edgeTaken(chart, "link", { from: "healthy", event: "poll.failed", to: "unreachable" })?.id).toBe(
      "healthy-unreachable"
    )
    expect(edgeTaken(chart, "work", { from: "idle", event: "retire", to: "retired" })?.id).toBe("idle-retired")
  })

  it("lights a state and what encloses it", () => {
    expect(activeIds(chart, "work", "patching.running")).toEqual(["running", "patching", "work", "managed"])
    expect(activeIds(chart, "work", "idle")).toEqual(["idle", "work", "managed"])
    expect(activeIds(chart, "link", "healthy")).toEqual(["healthy", "link", "managed"])
    expect(activeIds(chart, "work", "settling.asking")).toEqual(["settling", "work", "managed"])
  })
})

it("finds a way for every change of state that is allowed, straight or through one that is left at once", () => {
  const chart = chartOf(hostMachine)
  for (const { machine, region, from, event, to } of allowedTransitions()) {
    if (machine !== "host" || from === to || to === "retired") continue
    const left = activeIds(chart, region, from)
    expect(
      chart.edges.some((edge) => left.includes(edge.from) && edge.events.includes(event)) ||
        event === "cancel" ||
        event === "retire" ||
        event === "resumed",
      `${region} ${from} ${event} ${to}`
    ).toBe(true)
  }
})
