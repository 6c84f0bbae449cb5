/** The limits of this web process: how often an address and an account may call, and how many expensive requests one account has at work. */
import { Context, Effect, Layer, type Scope, Semaphore } from "effect"
import { HttpServerResponse } from "effect/http"
import { TooManyRequests } from "#core/Errors.ts"
import type { UserId } from "#core/Ids.ts"
import { limits, rateLimits, type RateLimits, type RouteClass } from "#core/Limits.ts"
import { type ErrorEnvelope, RequestId } from "#http/api/Errors.ts"
import { makeRateLimit } from "./rateLimit.ts"
import { WebConfig } from "./WebSettings.ts"

/** How long the queue of an account needs to move on, as a guess. */
const QUEUE_SECONDS = 2

const LINE_FULL = "Several large requests of yours are being worked on already."

const lineFull = new TooManyRequests({
  message: `${LINE_FULL} Try again in ${QUEUE_SECONDS} s.`,
  details: { retry_after_seconds: QUEUE_SECONDS }
})

const each = <A>(make: (kind: RouteClass) => A): Readonly<Record<RouteClass, A>> => ({
  sign_in: make("sign_in"),
  enrolment_request: make("enrolment_request"),
  enrolment_status: make("enrolment_status"),
  pki: make("pki"),
  read: make("read"),
  change: make("change"),
  expensive: make("expensive")
})

/** `Retry-After` and the envelope, as the answer to a request that comes too often. */
export const tooManyRequests = (
  request_id: string,
  seconds: number,
  what: string
): HttpServerResponse.HttpServerResponse => {
  const body: ErrorEnvelope = {
    error: {
      code: "too_many_requests",
      message: `${what} Try again in ${seconds} s.`,
      request_id,
      details: { retry_after_seconds: seconds }
    }
  }
  return HttpServerResponse.jsonUnsafe(body, { status: 429, headers: { "retry-after": String(seconds) } })
}

interface Line {
  members: number
  readonly turns: Semaphore.Semaphore
}

export const makeRateLimiter = (rates: RateLimits = rateLimits) => {
  const capacity = limits.remembered
  const byAddress = each((kind) => makeRateLimit({ ...rates[kind].address, capacity }))
  const byAccount = each((kind) => {
    const { account } = rates[kind]
    return account === null ? () => 0 : makeRateLimit({ ...account, capacity })
  })
  const lines = new Map<UserId, Line>()

  /** A place in the account's line, and a turn, until the scope ends: so many at once, so many waiting, the next is refused. */
  const enter = (user: UserId): Effect.Effect<void, TooManyRequests, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.suspend((): Effect.Effect<Line, TooManyRequests> => {
        const line = lines.get(user) ?? { members: 0, turns: Semaphore.makeUnsafe(limits.expensive_running) }
        if (line.members >= limits.expensive_running + limits.expensive_waiting) return Effect.fail(lineFull)
        line.members += 1
        lines.set(user, line)
        return Effect.succeed(line)
      }),
      (line) =>
        Effect.sync(() => {
          line.members -= 1
          if (line.members === 0) lines.delete(user)
        })
    ).pipe(Effect.flatMap(({ turns }) => Semaphore.takeScoped(turns, 1)))

  /** At most so many of one account at once and so many waiting; the next is refused at once, with TooManyRequests. */
  const inLine = <A, E, R>(
    user: UserId,
    effect: Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | TooManyRequests, Exclude<R, Scope.Scope>> =>
    Effect.scoped(Effect.andThen(enter(user), effect))

  return {
    inLine,
    /** Seconds to wait; 0 lets the request through and counts it. */
    ofAddress: (kind: RouteClass, address: string): number => byAddress[kind](address),
    ofAccount: <E, R>(
      kind: RouteClass,
      user: UserId,
      effect: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
    ): Effect.Effect<HttpServerResponse.HttpServerResponse, E, R | Scope.Scope> => {
      const wait = byAccount[kind](user)
      if (wait > 0) {
        return Effect.map(RequestId, (id) => tooManyRequests(id, wait, "Too many requests of this account."))
      }
      if (kind !== "expensive") return effect
      // The request's scope ends when its answer is sent, which for a download is long after the handler is done.
      return Effect.catchIf(
        Effect.andThen(enter(user), effect),
        (error) => error === lineFull,
        () => Effect.map(RequestId, (id) => tooManyRequests(id, QUEUE_SECONDS, LINE_FULL))
      )
    }
  }
}

export class RateLimiter extends Context.Service<RateLimiter, ReturnType<typeof makeRateLimiter>>()(
  "patch-manager/http/RateLimiter"
) {
  static readonly layer = Layer.effect(
    RateLimiter,
    Effect.map(WebConfig, ({ rates }) => makeRateLimiter(rates))
  )
}

/** What this request counts as, and against which limits; nothing where no web process is around it. */
export const Pacing = Context.Reference<{
  readonly kind: RouteClass
  readonly limiter: Pick<RateLimiter["Service"], "ofAccount">
} | null>("patch-manager/http/Pacing", { defaultValue: () => null })

/** Counts the request for its account and lets it wait for its turn; refused ones are answered here. */
export const inTurn = <E, R>(
  user: UserId,
  effect: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
): Effect.Effect<HttpServerResponse.HttpServerResponse, E, R | Scope.Scope> =>
  Effect.flatMap(Pacing, (pacing) => (pacing === null ? effect : pacing.limiter.ofAccount(pacing.kind, user, effect)))
