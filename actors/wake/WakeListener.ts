/**
 * Hears what the web process asks for. The notification is a hint: what is to be done stands in rows, which are also read
 * every few seconds and after every reconnect, so that a lost hint costs seconds and nothing else.
 */
import { Effect, Schedule, Schema, Semaphore } from "effect"
import { HostFact } from "#core/HostEvent.ts"
import { HostId, JobId } from "#core/Ids.ts"
import { finishRequests, type HostRequest, readHostVersions, readRequests, settleOrphans } from "#sql/WorkerStore.ts"
import { DatabaseClock } from "../hosts/DatabaseClock.ts"
import { DisabledGuards } from "../hosts/Guards.ts"
import { HostSupervisor } from "../hosts/HostSupervisor.ts"
import type { Polls } from "../hosts/Poller.ts"
import { JobSupervisor } from "../jobs/JobSupervisor.ts"
import { hearChannel } from "./hearChannel.ts"

const isRefresh = Schema.is(Schema.Struct({ type: Schema.Literal("refresh"), by: Schema.String }))
const decodeFact = Schema.decodeUnknownEffect(HostFact)
const isHostId = Schema.is(HostId)
const isJobId = Schema.is(JobId)

/** True where the request is done with: its host dealt with it, or nobody ever can. */
const answer = Effect.fnUntraced(function* (request: HostRequest, polls: Polls) {
  const supervisor = yield* HostSupervisor
  const clock = yield* DatabaseClock
  if (isRefresh(request.event)) {
    yield* polls.refresh(request.host_id)
    return true
  }
  return yield* decodeFact({ ...(request.event as object), at: yield* clock.now }).pipe(
    Effect.flatMap((fact) => supervisor.deliver(request.host_id, fact)),
    Effect.catchTag("SchemaError", (error) =>
      Effect.logError("A request could not be read and is dropped", error).pipe(
        Effect.annotateLogs({ host_id: request.host_id }),
        Effect.as(true)
      )
    )
  )
})

/** What a host did not deal with, since its actor starts again just now, stays for the next round; a crash repeats it too. */
const answerRequests = Effect.fnUntraced(function* (polls: Polls) {
  yield* settleOrphans
  const requests = yield* readRequests(500)
  const done = yield* Effect.forEach(
    requests,
    (request) => Effect.map(answer(request, polls), (isDone) => (isDone ? [request.id] : [])),
    { concurrency: 50 }
  )
  if (requests.length > 0) yield* finishRequests(done.flat())
})

/** Loads hosts that are new or were edited since the last look. */
const makeReconcile = Effect.gen(function* () {
  const supervisor = yield* HostSupervisor
  const known = new Map<HostId, string>()
  return Effect.gen(function* () {
    const rows = yield* readHostVersions
    const changed = rows.filter((row) => known.get(row.id) !== row.state || !supervisor.handles.has(row.id))
    for (const row of rows) known.set(row.id, row.state)
    if (changed.length > 0) yield* supervisor.load(changed.map((row) => row.id))
  })
})

/** What other parts of the worker do at a hint, by its first word. */
export type Hints = Readonly<Record<string, (id: string | undefined) => Effect.Effect<void>>>

export const listenForWakes = Effect.fnUntraced(function* (polls: Polls, hints: Hints) {
  const supervisor = yield* HostSupervisor
  const jobs = yield* JobSupervisor
  const reconcile = yield* makeReconcile
  const catchesUp = !(yield* DisabledGuards).has("catch_up_read")
  const rounds = yield* Semaphore.make(1)
  const answerAll = rounds.withPermit(answerRequests(polls))

  const hear = Effect.fnUntraced(function* (payload: string) {
    const [word, id] = payload.split(" ")
    if (word === "job_enqueued" && isJobId(id)) return yield* jobs.wakeJob(id)
    if (word === "window_changed" || word === "policy_changed") yield* jobs.wakeWaiting
    // On its own: a host that is slow to answer holds up no other hint.
    if (word === "host_requested") return yield* Effect.asVoid(Effect.forkScoped(answerAll))
    if ((word === "host_registered" || word === "host_changed") && isHostId(id)) return yield* supervisor.load([id])
    const heard = word === undefined ? undefined : hints[word]
    if (heard !== undefined) yield* heard(id)
  })

  const missed = Effect.andThen(jobs.wake, answerAll)
  const listening = catchesUp ? missed : Effect.void
  yield* Effect.forkScoped(hearChannel({ channel: "worker", listening, hear }))
  if (!catchesUp) return
  yield* missed.pipe(
    Effect.catch((error) => Effect.logWarning("Requests could not be read; tried again", error)),
    Effect.repeat(Schedule.spaced("2 seconds")),
    Effect.forkScoped
  )
  yield* reconcile.pipe(
    Effect.catch((error) => Effect.logWarning("Hosts that changed could not be read; tried again", error)),
    Effect.repeat(Schedule.spaced("5 seconds")),
    Effect.forkScoped
  )
})
