import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { createMachine, type AnyStateMachine, type AnyStateNode } from "xstate"
import { LinkState, WorkState } from "#core/HostState.ts"
import { chartOf } from "#machines/chart.ts"
import { hostMachine } from "#machines/hostMachine.ts"
import { staleness } from "#ui/chart/computeLayout.ts"
import { describe as inWords } from "#ui/chart/describe.ts"
import { layout } from "#ui/chart/layout.ts"
import { marksOf } from "#ui/chart/marks.ts"

const stored = readFileSync(new URL("../../ui/chart/layout.json", import.meta.url), "utf8")

const below = (node: AnyStateNode): ReadonlyArray<AnyStateNode> =>
  Object.values(node.states).flatMap((child) => [child, ...below(child)])

/** Pairs of states with a way between them, read from the machine itself. */
const waysIn = (root: AnyStateNode): ReadonlySet<string> => {
  const ways = new Set<string>()
  for (const node of below(root)) {
    for (const transition of [...node.transitions.values(), node.always ?? []].flat()) {
      for (const target of transition.target ?? []) {
        if (target !== node || transition.reenter) ways.add(`${node.id}-${target.id}`)
      }
    }
  }
  return ways
}

const sorted = (ids: Iterable<string>) => [...ids].toSorted()

interface AnyConfig {
  readonly states?: Readonly<Record<string, AnyConfig>>
  readonly on?: Readonly<Record<string, unknown>>
  readonly [key: string]: unknown
}

/** The host's machine with the state at `path` changed. */
const edited = (path: ReadonlyArray<string>, change: (config: AnyConfig) => AnyConfig): AnyStateMachine => {
  const within = (config: AnyConfig, [key, ...rest]: ReadonlyArray<string>): AnyConfig =>
    key === undefined
      ? change(config)
      : { ...config, states: { ...config.states, [key]: within(config.states?.[key] ?? {}, rest) } }
  return createMachine(within(hostMachine.config as unknown as AnyConfig, path) as Parameters<typeof createMachine>[0])
}

const work = ["managed", "work"]

describe("the chart's layout", () => {
  it("has every state of the machine exactly once", () => {
    expect(sorted(layout.wide.nodes.map(({ id }) => id))).toEqual(sorted(below(hostMachine.root).map(({ id }) => id)))
  })

  it("has every way of the machine exactly once", () => {
    expect(sorted(layout.wide.edges.map(({ id }) => id))).toEqual(sorted(waysIn(hostMachine.root)))
    expect(layout.wide.edges.every(({ id, from, to }) => id === `${from}-${to}`)).toBe(true)
  })

  it("says of them what the machine's definition says", () => {
    const chart = chartOf(hostMachine)
    expect(layout.wide.nodes).toMatchObject(chart.nodes)
    expect(layout.wide.edges).toMatchObject(chart.edges)
  })

  it("draws a rare way as a short stub and a usual one in full", () => {
    for (const edge of layout.wide.edges) expect(edge.short, edge.id).toBe(edge.stub)
  })
})

describe("the freshness check", () => {
  it("passes for the machine as it is", () => {
    expect(staleness(hostMachine, stored)).toBeNull()
    expect(
      staleness(
        edited(work, (config) => config),
        stored
      )
    ).toBeNull()
  })

  it.each<[string, AnyStateMachine, RegExp]>([
    [
      "new way",
      edited([...work, "idle"], (idle) => ({ ...idle, on: { ...idle.on, doubt: "#settling" } })),
      /not that of/
    ],
    ["other words", edited([...work, "failed"], (failed) => ({ ...failed, meta: { words: "Broken" } })), /not that of/],
    [
      "new state",
      edited(work, (config) => ({ ...config, states: { ...config.states, held: { id: "held" } } })),
      /No place for the state "held"/
    ],
    ["way gone", edited([...work, "idle"], (idle) => ({ ...idle, on: {} })), /no longer has "idle-preparing"/]
  ])("turns red for a machine with a %s", (_, machine, problem) => {
    expect(staleness(machine, stored)).toMatch(problem)
    expect(staleness(machine, stored)).toContain("node ui/chart/computeLayout.ts")
  })

  it("turns red for a layout that was edited by hand", () => {
    expect(staleness(hostMachine, stored.replace('"width": 136', '"width": 137'))).toMatch(/not that of/)
  })
})

describe("the marks", () => {
  const at = (moment: Partial<Parameters<typeof marksOf>[1]>) =>
    marksOf(layout.wide, { link: "healthy", work: "idle", last: null, ...moment })

  it.each(WorkState.literals)("show the host at %s and nowhere else", (state) => {
    const { active } = at({ work: state })
    const leaves = layout.wide.nodes.filter(({ kind, id }) => kind !== "group" && kind !== "parallel" && active.has(id))
    expect(sorted(leaves.map(({ key }) => key))).toEqual(sorted([state.split(".").at(-1), "healthy"] as Array<string>))
  })

  it.each(LinkState.literals)("show the link as %s", (state) => {
    expect(at({ link: state }).active.has(state)).toBe(true)
  })

  it("tint what encloses the active state and darken its ways onward", () => {
    const { active, next } = at({ work: "patching.running" })
    expect(active.has("patching")).toBe(true)
    expect([...next].filter((id) => id.startsWith("running-")).toSorted()).toEqual([
      "running-failed",
      "running-retrying",
      "running-settling",
      "running-verifying"
    ])
  })

  it("find the way a recorded transition took, in both drawings", () => {
    const last = {
      region: "work",
      from: "patching.verifying",
      event: "evidence",
      to: "rebooting.leaving"
    } as const
    expect(at({ last }).last).toBe("verifying-leaving")
    expect(marksOf(layout.phone, { link: "healthy", work: "rebooting.leaving", last }).last).toBe("verifying-rebooting")
    expect(at({ last: { ...last, event: "order" } }).last).toBeNull()
    expect(at({ last: { ...last, from: "settling.asking", event: "unavailable", to: "unresolved" } }).last).toBe(
      "settling-unresolved"
    )
  })

  it("are told in words", () => {
    const last = { region: "work", from: "patching.dispatching", event: "accepted", to: "patching.running" } as const
    expect(inWords(layout.wide, "work", at({ work: "patching.running", last }), { last })).toBe(
      "Work: patching, running is active: Agent at work on the host. Last transition dispatching to running. Possible next: verifying, retrying, failed, settling."
    )
    expect(
      inWords(layout.wide, "link", at({ link: "degraded" }), { last, words: { degraded: "/var 91 % full" } })
    ).toBe("Link: degraded is active: /var 91 % full. Possible next: healthy, unreachable.")
  })
})
