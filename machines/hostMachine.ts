/**
 * The life of a host: whether it answers (`link`) and what is being done on it (`work`), two facts at the same time.
 * Pure: it asks for work by commands and for time by named delays; `step.ts` runs it.
 */
import { initialHostContext } from "./HostContext.ts"
import { makeWhen, type HostGuard } from "./hostGuards.ts"
import { link } from "./hostLink.ts"
import { hostDelays, hostSetup } from "./hostSetup.ts"
import { work } from "./hostWork.ts"
import { productionTuning, type Tuning } from "./Tuning.ts"

/** With production times and all guards. */
export const hostMachine = hostSetup.createMachine({
  id: "host",
  context: initialHostContext,
  initial: "managed",
  states: {
    managed: { id: "managed", type: "parallel", meta: { words: "Managed" }, states: { link, work } },
    retired: { id: "retired", type: "final", meta: { words: "Removed" } }
  }
})
export type HostMachine = typeof hostMachine

/** Grows with every change of the chart or of what a snapshot holds; the version before stays readable. */
export const machineVersion = 2
export const readableVersions: ReadonlyArray<number> = [1, 2]

/** The same chart with other times, or, in tests, without some of its guards. */
export const makeHostMachine = (options: {
  readonly tuning?: Partial<Tuning>
  readonly without?: ReadonlyArray<HostGuard>
}): HostMachine =>
  hostMachine.provide({
    delays: hostDelays({ ...productionTuning, ...options.tuning }),
    guards: { when: makeWhen(new Set(options.without)) }
  })
