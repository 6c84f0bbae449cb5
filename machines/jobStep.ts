/** The job machine's step. */
import { initialTransition, transition, type SnapshotFrom } from "xstate"
import { isJobCall, type JobCommand } from "#core/JobCommand.ts"
import type { JobEvent } from "#core/JobEvent.ts"
import { JobState } from "#core/JobState.ts"
import { JobContext } from "./JobContext.ts"
import { jobMachine, readableJobVersions, type JobMachine } from "./jobMachine.ts"
import { makeStep } from "./makeStep.ts"

export type JobSnapshot = SnapshotFrom<JobMachine>

/** Version 1 had no `waiting` and no `paused`. */
export const JobValue = JobState
export type JobValue = JobState

export const makeJobStep = (machine: JobMachine) =>
  makeStep<JobSnapshot, JobEvent, JobValue, JobContext, JobCommand>({
    name: "job",
    readableVersions: readableJobVersions,
    value: JobValue,
    context: JobContext,
    initial: () => initialTransition(machine),
    transition: (snapshot, event) => transition(machine, snapshot, event),
    known: (snapshot, event) => machine.getTransitionData(snapshot, event),
    resolve: (stored) => machine.resolveState(stored),
    persist: ({ value, context }) => ({ value, context }),
    isLive: (command, snapshot) => !isJobCall(command) || command.call === snapshot.context.seq
  })
export type JobStep = ReturnType<typeof makeJobStep>

export const jobStep: JobStep = makeJobStep(jobMachine)

export const jobStateOf = (snapshot: JobSnapshot): JobValue => snapshot.value
