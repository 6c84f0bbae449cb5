/** The machine with one of its safeguards taken out. Each must turn a simulation or a directed test red. */

import { isWindowClosed } from "#machines/hostFacts.ts"
import { type HostGuard, hostGuards, makeWhen } from "#machines/hostGuards.ts"
import { hostMachine, makeHostMachine, type HostMachine } from "#machines/hostMachine.ts"
import { call, close, end, hostDelays, hostSetup, note, when } from "#machines/hostSetup.ts"
import { type HostStep, makeHostStep } from "#machines/step.ts"
import { productionTuning, type Tuning } from "#machines/Tuning.ts"

/** The chart is plain data, so a copy of it can be rewired. */
interface Chart {
  [key: string]: Chart | ReadonlyArray<Chart> | string | undefined
}

const stateOf = (config: Chart, ...path: ReadonlyArray<string>): Chart =>
  path.reduce<Chart>((node, key) => {
    const states = node["states"] as Chart
    const child = states[key]
    if (typeof child !== "object" || Array.isArray(child)) throw new Error(`no state ${key}`)
    return child as Chart
  }, config)

const rewired = (
  tuning: Partial<Tuning>,
  path: ReadonlyArray<string>,
  edit: (state: Chart) => void,
  removed: ReadonlyArray<HostGuard> = []
): HostStep => {
  const config: unknown = structuredClone(hostMachine.config)
  edit(stateOf(config as Chart, "managed", "work", ...path))
  const machine: unknown = hostSetup.createMachine(config as Parameters<typeof hostSetup.createMachine>[0])
  return makeHostStep(
    (machine as HostMachine).provide({
      delays: hostDelays({ ...productionTuning, ...tuning }),
      guards: { when: makeWhen(new Set(removed)) }
    })
  )
}

const on = (state: Chart): Chart => state["on"] as Chart

const without = (...guards: ReadonlyArray<HostGuard>): HostStep => makeHostStep(makeHostMachine({ without: guards }))

const withGuard = (name: HostGuard, guard: (typeof hostGuards)[HostGuard]): HostStep =>
  makeHostStep(hostMachine.provide({ guards: { when: makeWhen(new Set(), { ...hostGuards, [name]: guard }) } }))

export const mutations = {
  resendOnResume: (tuning: Partial<Tuning> = {}) =>
    rewired(tuning, ["patching", "dispatching"], (state) => {
      on(state)["resumed"] = { actions: [note("next"), call("change")] } as unknown as Chart
    }),
  retryOnUnclear: (tuning: Partial<Tuning> = {}) =>
    rewired(tuning, ["patching", "dispatching"], (state) => {
      on(state)["unclear"] = {
        target: "#retrying",
        actions: [close("no_effect"), note("noteFailure", "planRetry")]
      } as unknown as Chart
    }),
  /** Nobody asks whether the agent is at work: neither its list nor its active job counts. */
  skipJobList: (tuning: Partial<Tuning> = {}) =>
    rewired(
      tuning,
      ["settling", "asking"],
      (state) => {
        on(state)["jobs"] = { guard: when("callMatches"), target: "#inspecting" } as unknown as Chart
      },
      ["calm"]
    ),
  trustCompleted: (tuning: Partial<Tuning> = {}) =>
    rewired(tuning, ["patching", "running"], (state) => {
      on(state)["job"] = {
        guard: when("jobMatches", "jobCompleted"),
        target: "#idle",
        actions: [close("ran"), end("done")]
      } as unknown as Chart
    }),
  noRunDeadline: (tuning: Partial<Tuning> = {}) =>
    rewired(tuning, ["patching", "running"], (state) => {
      delete state["after"]
    }),
  noCallMatching: () => without("callMatches"),
  oneRead: () => without("secondLook"),
  /** `resumed` enters its state again, so that each crash pushes the deadline away. */
  reenterOnResume: (tuning: Partial<Tuning> = {}) =>
    rewired(tuning, ["patching", "running"], (state) => {
      on(state)["resumed"] = { target: "#running", reenter: true } as unknown as Chart
    }),
  /** Uptime compared as a number, without the time between the readings. */
  plainUptime: () =>
    withGuard(
      "bootedAsAsked",
      ({ context, event }) =>
        event.type === "poll.ok" &&
        context.reboot_from !== null &&
        event.uptime_seconds < context.reboot_from.uptime_seconds
    ),
  /** What the host offers now is taken, whatever was planned. */
  ignoredPlan: () => withGuard("planChanged", () => false),
  ignoredPreCheck: () => withGuard("preCheckFails", () => false),
  /** Work starts as long as its window is open, whether it fits or not. */
  ignoredLength: () => withGuard("tooLate", ({ context, event }) => isWindowClosed(context, event.at)),
  ignoredServices: () => withGuard("serviceDown", () => false),
  /** A rollback that waits for ever is asked about for ever. */
  patientRollback: () => withGuard("neverBegan", () => false),
  impatientServices: () => withGuard("mayComeUp", () => false),
  shortQuiet: () => makeHostStep(makeHostMachine({ tuning: { quiet_ms: 10_000 } }))
} satisfies Record<string, (tuning?: Partial<Tuning>) => HostStep>
export type Mutation = keyof typeof mutations
