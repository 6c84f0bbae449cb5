/** Turns one step of a host's machine into the row that is committed. Pure. */
import type { HostCommand, HostRecord } from "#core/HostCommand.ts"
import type { HostEvent } from "#core/HostEvent.ts"
import type { HostId } from "#core/Ids.ts"
import { jobHostStateOf, jobHostStateOfVerdict } from "#core/JobState.ts"
import type { Step } from "#machines/makeStep.ts"
import { type HostSnapshot, machineVersion, persist, placeOf } from "#machines/step.ts"
import type { HostCommitRow } from "#sql/HostCommit.ts"

const records = <K extends HostRecord["kind"]>(commands: ReadonlyArray<HostCommand>, kind: K) =>
  commands.filter((command): command is Extract<HostRecord, { kind: K }> => command.kind === kind)

/** The order's row in its job: its end if this step ended it, else where its host stands, if that moved. */
const jobHostOf = (
  before: HostSnapshot,
  after: HostSnapshot,
  commands: ReadonlyArray<HostCommand>
): HostCommitRow["jobHost"] => {
  const outcome = records(commands, "Ended").at(-1)?.outcome
  if (outcome) {
    return {
      orderId: outcome.order_id,
      state: jobHostStateOfVerdict(outcome.verdict),
      // Nobody knows yet what became of it; the job stays open until somebody decides.
      ended: outcome.verdict !== "unresolved",
      outcome,
      agentJobId: after.context.job_id
    }
  }
  const order = after.context.order
  if (order === null) return null
  const was = jobHostStateOf(placeOf(before).work)
  const is = jobHostStateOf(placeOf(after).work)
  const same = before.context.order?.id === order.id && was === is && before.context.job_id === after.context.job_id
  return same ? null : { orderId: order.id, state: is, ended: false, outcome: null, agentJobId: after.context.job_id }
}

/** Kinds as the database and the wire spell them. */
const kindOf = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** What is over with this step. */
const alarmsOver = (before: HostSnapshot, after: HostSnapshot, event: HostEvent): ReadonlyArray<string> => {
  const [was, is] = [placeOf(before), placeOf(after)]
  const answers = event.type === "poll.ok" && (was.link === "unreachable" || before.context.misses > 0)
  return [
    ...(answers || is.work === "retired" ? ["unreachable", "identity_swap"] : []),
    // The next order gives the agent's events another chance.
    ...(event.type === "order" ? ["event_flood"] : []),
    ...(was.work === "unresolved" && is.work !== "unresolved" ? ["unresolved"] : []),
    ...(was.work === "failed" && is.work !== "failed" ? ["no_return"] : []),
    ...(before.context.unstable && (!after.context.unstable || is.work === "retired") ? ["unstable"] : []),
    ...(before.context.reverted !== null && (after.context.reverted === null || is.work === "retired")
      ? ["rolled_back"]
      : [])
  ]
}

export const commitRow = (
  host: { readonly id: HostId; readonly version: number; readonly snapshot: HostSnapshot },
  event: HostEvent,
  step: Step<HostSnapshot, HostCommand>
): HostCommitRow => {
  const from = placeOf(host.snapshot)
  const to = placeOf(step.snapshot)
  const { value, context } = persist(step.snapshot)
  const taken = step.snapshot.context.order
  const ended = records(step.commands, "Ended").at(-1)?.outcome.order_id
  return {
    hostId: host.id,
    machineVersion,
    was: host.version,
    from: { link: from.link, work: from.work },
    to,
    value,
    context,
    event,
    orderId: ended ?? taken?.id ?? host.snapshot.context.order?.id ?? null,
    claim: event.type === "order" && taken?.id === event.order.id ? event.order.id : null,
    timersSet: step.timers.set.map((timer) => ({ id: timer.id, delayMillis: timer.delay_ms })),
    timersCancelled: step.timers.cancelled,
    intentsOpened: records(step.commands, "IntentOpened").map((record) => ({
      id: record.intent,
      action: record.action,
      baseline: record.baseline
    })),
    intentsClosed: records(step.commands, "IntentClosed").map((record) => ({
      id: record.intent,
      verdict: record.verdict
    })),
    jobHost: jobHostOf(host.snapshot, step.snapshot, step.commands),
    alarms: {
      raised: records(step.commands, "Alarm").map(({ name, message }) => ({ kind: kindOf(name), message })),
      cleared: alarmsOver(host.snapshot, step.snapshot, event)
    },
    reverted: event.type === "inventory.older" ? event.order_id : null
  }
}
