/**
 * The life of one host in the worker: take an event, step, commit, and only then do what the machine asked for.
 * One fiber a host, so its events are handled one after the other. A refused commit ends the fiber; the supervisor decides.
 */
import { Data, Effect, Fiber, Queue } from "effect"
import { isCall, type HostCommand } from "#core/HostCommand.ts"
import type { HostEvent } from "#core/HostEvent.ts"
import type { CommitResult } from "./Committer.ts"
import { commitRow } from "./commitRow.ts"
import { reach } from "./Failpoint.ts"
import { DisabledGuards } from "./Guards.ts"
import type { HostCalls } from "./HostCalls.ts"
import type { HostHandle, Mail } from "./HostHandle.ts"
import { HostSteps } from "./HostSteps.ts"
import { LeaseHeld } from "./LeaseHeld.ts"
import type { HostTimers } from "./HostTimers.ts"

/** The database did not take this host's step. */
export class CommitRefused extends Data.TaggedError("CommitRefused")<{
  readonly result: Exclude<CommitResult, "ok" | "unclaimable">
  readonly event: string
}> {
  override get message() {
    return `The step for ${this.event} was refused as ${this.result}`
  }
}

/** What an actor needs from the rooms around it. */
export interface HostActorEnvironment {
  readonly commit: (row: ReturnType<typeof commitRow>) => Effect.Effect<CommitResult>
  readonly timers: HostTimers
  /** Starts the calls of a step; a standing call whose turn is over (its number moved) is ended first. */
  readonly carryOut: HostCalls["carryOut"]
  /** Told after each commit, with what was recorded. */
  readonly committed: (host: HostHandle, event: HostEvent, commands: ReadonlyArray<HostCommand>) => Effect.Effect<void>
}

const opensIntent = (commands: ReadonlyArray<HostCommand>) =>
  commands.some((command) => command.kind === "IntentOpened")
const isAnswer = (event: HostEvent) =>
  event.type === "accepted" || event.type === "refused" || event.type === "unsent" || event.type === "unclear"

const handle = Effect.fnUntraced(function* (host: HostHandle, mail: Mail, environment: HostActorEnvironment) {
  const { event } = mail
  const steps = yield* HostSteps
  if (mail.armed !== undefined && !environment.timers.isCurrent(mail.armed)) return
  // Stale answers, and facts that change nothing, end here without a row.
  if (!steps.canTake(host.snapshot, event)) return
  const next = yield* Effect.fromResult(steps.step(host.snapshot, event))
  if (!next.changed) return
  const actsFirst = opensIntent(next.commands) && (yield* DisabledGuards).has("intent")
  const order = next.snapshot.context.order
  if (opensIntent(next.commands) && order !== null) yield* (yield* LeaseHeld).begin(order.id)
  if (opensIntent(next.commands)) yield* reach("intent_uncommitted")
  if (actsFirst) {
    const acting = yield* environment.carryOut(host, next.commands.filter(isCall))
    if (acting !== undefined) yield* Fiber.await(acting)
  }
  const result = yield* environment.commit(commitRow(host, event, next))
  // The order went to somebody else or was cancelled while it waited: the host never took it.
  if (result === "unclaimable") return
  if (result !== "ok") return yield* new CommitRefused({ result, event: event.type })
  host.snapshot = next.snapshot
  host.version += 1
  if (event.type === "order") yield* reach("order_taken")
  if (opensIntent(next.commands)) yield* reach("intent_committed")
  if (isAnswer(event)) yield* reach("answer_committed")
  for (const id of next.timers.cancelled) yield* environment.timers.cancel(host, id)
  for (const timer of next.timers.set) yield* environment.timers.set(host, timer.id, timer.delay_ms, host.version)
  if (!actsFirst) yield* environment.carryOut(host, next.commands.filter(isCall))
  yield* environment.committed(host, event, next.commands)
})

/** Runs until the host is retired. Fails where a commit was refused or the machine has a defect. */
export const runHost = Effect.fnUntraced(function* (host: HostHandle, environment: HostActorEnvironment) {
  while (host.snapshot.status !== "done") {
    const mail = yield* Queue.take(host.mailbox)
    yield* handle(host, mail, environment)
    mail.handled?.()
  }
})
