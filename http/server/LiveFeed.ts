/** Follows the change feed once for the whole process and tells every subscriber what concerns it. */
import { Clock, Context, Effect, Layer, Schedule, Semaphore, Stream } from "effect"
import type { PgClient } from "@effect/sql-pg"
import { SqlClient } from "effect/sql"
import type { HostId, JobId } from "#core/Ids.ts"
import type { LiveMessage } from "#core/Live.ts"
import type { Principal } from "#core/User.ts"
import { feedEnd, feedHints, type FeedRow, readFeed, readFeedSpan } from "#sql/FeedStore.ts"
import { withRowScope } from "#sql/rowScope.ts"
import { liveMessages } from "./liveMessages.ts"

export interface Subscription {
  readonly principal: Principal
  readonly topics: ReadonlyArray<"host" | "job" | "job_host">
  readonly hostId: HostId | null
  readonly jobId: JobId | null
  readonly tell: (message: LiveMessage) => void
}

const BATCH = 1000
/** A reader further behind than this reads the lists again. */
const BACKLOG = 5000
/** How long back a resume needs no look at what was cleared away; far shorter than the feed is kept. */
const SURE_MILLIS = 600_000

const concerns = (subscription: Subscription, message: LiveMessage): boolean => {
  switch (message.type) {
    case "host":
    case "host_removed":
      return subscription.topics.includes("host")
    case "transition":
      return message.transition.host_id === subscription.hostId
    case "job":
      return (
        subscription.topics.includes("job") && (subscription.jobId === null || subscription.jobId === message.job.id)
      )
    case "job_host":
      return subscription.jobId === message.job_host.job_id
    default:
      return true
  }
}

/** Subscribers with equal scope share one read. */
const scopeOf = (principal: Principal): string =>
  principal.role === "operator" ? `operator:${principal.group_ids.toSorted().join(",")}` : "all"

const make = Effect.gen(function* () {
  const services = yield* Effect.context<SqlClient.SqlClient | PgClient.PgClient>()
  const subscribers = new Set<Subscription>()
  const oneAtATime = yield* Semaphore.make(1)
  let position = yield* feedEnd
  let sure = { xid: position.xid, next: position.xid, since: 0 }

  const tellAll = Effect.fnUntraced(function* (rows: ReadonlyArray<FeedRow>) {
    const byScope = Map.groupBy(subscribers, (subscriber) => scopeOf(subscriber.principal))
    for (const group of byScope.values()) {
      const watched = new Set(group.flatMap(({ hostId }) => (hostId === null ? [] : [hostId])))
      const { principal } = group[0]!
      const messages = yield* withRowScope(principal)(liveMessages(principal, rows, watched))
      for (const subscriber of group) {
        for (const message of messages) if (concerns(subscriber, message)) subscriber.tell(message)
      }
    }
  })

  const rememberSure = (now: number): void => {
    if (now - sure.since < SURE_MILLIS) return
    sure = { xid: sure.next, next: position.xid, since: now }
  }

  const pump = oneAtATime.withPermit(
    Effect.gen(function* () {
      rememberSure(yield* Clock.currentTimeMillis)
      while (true) {
        const rows = yield* readFeed(position, BATCH)
        const last = rows.at(-1)
        if (last === undefined) return
        if (subscribers.size > 0) yield* tellAll(rows)
        position = { xid: last.xid, seq: last.seq }
        if (rows.length < BATCH) return
      }
    })
  )

  yield* Stream.merge(feedHints, Stream.fromSchedule(Schedule.spaced("1 second"))).pipe(
    Stream.buffer({ capacity: 1, strategy: "sliding" }),
    Stream.runForEach(() =>
      Effect.catchCause(pump, (cause) => Effect.logWarning("The live feed could not be read; it is tried again", cause))
    ),
    Effect.forkScoped
  )

  /** Tells the subscriber what happened since `fromSeq`, then everything to come; returns how to end it. */
  const subscribe = (subscription: Subscription, fromSeq: number | null) =>
    oneAtATime
      .withPermit(
        Effect.gen(function* () {
          const seq = position.xid
          subscription.tell({ type: "hello", seq })
          if (fromSeq !== null) {
            const rows =
              fromSeq > seq
                ? null
                : yield* readFeedSpan(fromSeq, seq, { limit: BACKLOG, knownComplete: fromSeq >= sure.xid })
            if (rows === null) {
              subscription.tell({ type: "resync", seq })
            } else {
              const watched = new Set(subscription.hostId === null ? [] : [subscription.hostId])
              const { principal } = subscription
              for (const message of yield* withRowScope(principal)(liveMessages(principal, rows, watched))) {
                if (concerns(subscription, message)) subscription.tell(message)
              }
            }
          }
          subscribers.add(subscription)
          return (): void => {
            subscribers.delete(subscription)
          }
        })
      )
      .pipe(Effect.provideContext(services))

  return { subscribe }
})

export class LiveFeed extends Context.Service<LiveFeed, Effect.Success<typeof make>>()("patch-manager/http/LiveFeed") {
  static readonly layer = Layer.effect(LiveFeed, make)
}
