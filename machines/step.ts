/** The host machine's step: one event folded into a host, as `makeStep` describes. */
import { initialTransition, transition, type SnapshotFrom } from "xstate"
import type { HostEvent } from "#core/HostEvent.ts"
import type { HostCommand } from "#core/HostCommand.ts"
import { isCall } from "#core/HostCommand.ts"
import { summarise, type HostSummary, type LinkState, type WorkState } from "#core/HostState.ts"
import { HostContext } from "./HostContext.ts"
import { hostMachine, readableVersions, type HostMachine } from "./hostMachine.ts"
import { HostValue, linkOf, workOf } from "./HostValue.ts"
import { makeStep } from "./makeStep.ts"

export type HostSnapshot = SnapshotFrom<HostMachine>

/** Where a host stands, as lists, filters and transition rows spell it. */
export interface HostPlace {
  readonly link: LinkState
  readonly work: WorkState
  readonly summary: HostSummary
}

export const placeOf = (snapshot: HostSnapshot): HostPlace => {
  const link = linkOf(snapshot.value)
  const work = workOf(snapshot.value)
  return { link, work, summary: summarise(link, work) }
}

/** The step of a host machine with its own times or, in tests, without some of its guards. */
export const makeHostStep = (machine: HostMachine) =>
  makeStep<HostSnapshot, HostEvent, HostValue, HostContext, HostCommand>({
    name: "host",
    readableVersions,
    value: HostValue,
    context: HostContext,
    initial: () => initialTransition(machine),
    transition: (snapshot, event) => transition(machine, snapshot, event),
    known: (snapshot, event) => machine.getTransitionData(snapshot, event),
    resolve: (stored) => machine.resolveState(stored),
    persist: ({ value, context }) => ({ value, context }),
    isLive: (command, snapshot) => !isCall(command) || command.call === snapshot.context.seq
  })
export type HostStep = ReturnType<typeof makeHostStep>

/** The step of the machine as it runs in production. */
export const hostStep: HostStep = makeHostStep(hostMachine)
export const { initialStep, step, restore, persist, canTake } = hostStep
export { expectedTimers } from "./makeStep.ts"
export { machineVersion, readableVersions } from "./hostMachine.ts"
