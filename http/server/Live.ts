/** Tickets for the live sockets, and the sockets themselves. */
import { Effect, Layer, Result, Schema } from "effect"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import type { SqlClient, SqlError } from "effect/sql"
import { Unauthorized } from "#core/Errors.ts"
import { LiveMessage, LiveSubscribe } from "#core/Live.ts"
import type { Principal } from "#core/User.ts"
import { Api } from "#http/api/Api.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import { sockets } from "#http/api/Live.ts"
import { readSession } from "#sql/SessionStore.ts"
import { insertTicket, takeTicket, type TicketHolder, TICKET_SECONDS } from "#sql/TicketStore.ts"
import { readToken } from "#sql/TokenStore.ts"
import { AppSocket, closeCodes } from "./AppSocket.ts"
import { authorize, requireSignedIn } from "./authorize.ts"
import { sessionPrincipal, tokenPrincipal } from "./Credentials.ts"
import { errorResponses } from "./errorResponses.ts"
import { LiveFeed, type Subscription } from "./LiveFeed.ts"
import { randomToken, tokenHash } from "./opaqueToken.ts"
import { principalNow } from "./principalNow.ts"
import { makeRateLimit } from "./rateLimit.ts"
import { requireOwnOrigin } from "./refreshCookie.ts"
import { answered } from "./translate.ts"

/** How somebody on a socket stands by now. */
type Standing = Effect.Effect<"same" | "changed" | "ended", SqlError.SqlError, SqlClient.SqlClient>

const badTicket = new Unauthorized({
  code: "bad_ticket",
  message: "The ticket is unknown, used or older than a minute. Ask for a new one at /api/v1/ws/ticket."
})

export const group = HttpApiBuilder.group(Api, "live", (handlers) =>
  handlers.handleAll({
    ticket: () =>
      answered(
        Effect.gen(function* () {
          const { principal } = yield* CurrentCaller
          const { token, session_id, user_id, permissions } = principal
          const holder: TicketHolder | null =
            token !== null
              ? { token_id: token.id, session_id: null }
              : session_id !== null
                ? { session_id, token_id: null }
                : null
          if (holder === null) return yield* badTicket
          const ticket = randomToken()
          yield* insertTicket(tokenHash(ticket), user_id, holder, permissions)
          return { ticket, expires_in_seconds: TICKET_SECONDS }
        })
      )
  })
)

/** What bounds somebody's sight and what he may do. */
const eyesOf = ({ role, group_ids, permissions }: Principal): string =>
  [role, ...group_ids.toSorted(), ...[...permissions].toSorted()].join()

const holderNow = Effect.fnUntraced(function* (holder: TicketHolder) {
  if (holder.token_id !== null) {
    const token = yield* readToken(holder.token_id)
    return token === null ? null : tokenPrincipal(token)
  }
  const session = yield* readSession(holder.session_id)
  return session === null ? null : sessionPrincipal(session)
})

const admit = Effect.fnUntraced(function* (ticket: string) {
  const taken = ticket === "" ? null : yield* takeTicket(tokenHash(ticket))
  const holder = taken === null ? null : yield* holderNow(taken)
  if (taken === null || holder === null) return yield* badTicket
  yield* requireSignedIn(holder)
  const principal: Principal = {
    ...holder,
    permissions: new Set(taken.permissions.filter((permission) => holder.permissions.has(permission)))
  }
  const eyes = eyesOf(holder)
  let known = holder
  /** Whoever may see less or more than at the beginning hangs up, and comes back as who he is now. */
  const standing: Standing = Effect.gen(function* () {
    const now = yield* principalNow(known)
    if (now === null) return "ended"
    known = now
    return eyesOf(now) === eyes ? "same" : "changed"
  })
  return { principal, standing }
})

const encode = Schema.encodeSync(Schema.fromJsonString(LiveMessage))
const decode = Schema.decodeUnknownResult(Schema.fromJsonString(LiveSubscribe), { onExcessProperty: "error" })

const FIRST_WORD_DEADLINE = "10 seconds"
const CHECK_EVERY = "2 seconds"
const CHECKS_A_PING = 10
/** A page subscribes when it is opened or turned; a resume reads up to some thousand rows. */
const SUBSCRIPTIONS = { per_minute: 120, burst: 60, capacity: 1 } as const

/** One browser from subscribe to close. */
const converse = Effect.fnUntraced(function* (
  browser: AppSocket,
  pull: Effect.Effect<ReadonlyArray<string | Uint8Array>, unknown>,
  principal: Principal,
  topics: Subscription["topics"],
  standing: Standing
) {
  const feed = yield* LiveFeed
  let leave: (() => void) | null = null
  const guard = Effect.gen(function* () {
    for (let checks = 1; ; checks++) {
      yield* Effect.sleep(CHECK_EVERY)
      const now = yield* standing
      if (now === "ended") return browser.refuse("the session has ended", closeCodes.sessionEnded)
      if (now === "changed") return browser.refuse("you see other hosts now", closeCodes.sightChanged)
      if (checks % CHECKS_A_PING === 0) browser.beat()
    }
  }).pipe(Effect.catchCause(() => Effect.sync(() => browser.refuse("the session cannot be checked"))))
  yield* Effect.forkScoped(guard)
  yield* Effect.forkScoped(
    Effect.andThen(
      Effect.sleep(FIRST_WORD_DEADLINE),
      Effect.sync(() => {
        if (leave === null) browser.refuse("nothing was subscribed to")
      })
    )
  )
  yield* Effect.addFinalizer(() => Effect.sync(() => leave?.()))
  const secondsToWait = makeRateLimit(SUBSCRIPTIONS)
  while (true) {
    for (const frame of yield* pull) {
      if (secondsToWait("") > 0) return browser.refuse("too many subscriptions")
      const message = decode(typeof frame === "string" ? frame : Buffer.from(frame).toString("utf8"))
      if (Result.isFailure(message)) return browser.refuse("this is not a subscription")
      leave?.()
      const { from_seq, host_id, job_id } = message.success.subscribe
      leave = yield* feed.subscribe(
        {
          principal,
          topics,
          hostId: topics.includes("host") ? (host_id ?? null) : null,
          jobId: topics.includes("job_host") ? (job_id ?? null) : null,
          tell: (live) => browser.tell(encode(live))
        },
        from_seq
      )
    }
  }
})

const route = ({ path, permission, topics }: (typeof sockets)[keyof typeof sockets]) =>
  HttpRouter.add(
    "GET",
    path,
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      if (request.headers["upgrade"]?.toLowerCase() !== "websocket") return HttpServerResponse.empty({ status: 426 })
      yield* requireOwnOrigin
      const { ticket } = yield* HttpServerRequest.ParsedSearchParams
      const { principal, standing } = yield* answered(admit(typeof ticket === "string" ? ticket : ""))
      yield* authorize(principal, permission)
      const socket = yield* request.upgrade
      const { pull } = yield* socket.reader
      const browser = AppSocket.of(NodeHttpServerRequest.toIncomingMessage(request))
      if (browser === undefined) return HttpServerResponse.empty({ status: 500 })
      // Every end of the connection, the good one too, arrives as a failure of `pull`.
      yield* Effect.ignore(converse(browser, pull, principal, topics, standing))
      return HttpServerResponse.empty()
    }).pipe(Effect.scoped, errorResponses)
  )

export const routes = Layer.mergeAll(route(sockets.fleet), route(sockets.jobs))
