/** Tickets for the live sockets, and the sockets themselves. */
import { Effect, Layer, Result, Schema } from "effect"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import type { SqlClient } from "effect/sql"
import { Unauthorized } from "#core/Errors.ts"
import { SessionId, TokenId } from "#core/Ids.ts"
import { LiveMessage, LiveSubscribe } from "#core/Live.ts"
import type { Principal } from "#core/User.ts"
import { Api } from "#http/api/Api.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import { sockets } from "#http/api/Live.ts"
import { isSessionLive } from "#sql/SessionStore.ts"
import { insertTicket, takeTicket, TICKET_SECONDS } from "#sql/TicketStore.ts"
import { isTokenLive } from "#sql/TokenStore.ts"
import { type Account, findUser } from "#sql/UserStore.ts"
import { AppSocket } from "./AppSocket.ts"
import { authorize } from "./authorize.ts"
import { errorResponses } from "./errorResponses.ts"
import { LiveFeed, type Subscription } from "./LiveFeed.ts"
import { randomToken, tokenHash } from "./opaqueToken.ts"
import { requireSameOrigin } from "./refreshCookie.ts"
import { answered } from "./translate.ts"

const badTicket = new Unauthorized({
  code: "bad_ticket",
  message: "The ticket is unknown, used or older than a minute. Ask for a new one at /api/v1/ws/ticket."
})

/** The ticket's text names what it was given for; its hash, which is all that is stored, covers that too. */
const ticketFor = (principal: Principal): string =>
  `${randomToken()}.${principal.token ? `token.${principal.token.id}` : `session.${principal.session_id ?? ""}`}`

const readGround = Schema.decodeUnknownResult(
  Schema.Union([Schema.Tuple([Schema.Literal("session"), SessionId]), Schema.Tuple([Schema.Literal("token"), TokenId])])
)

export const group = HttpApiBuilder.group(Api, "live", (handlers) =>
  handlers.handleAll({
    ticket: () =>
      answered(
        Effect.gen(function* () {
          const { principal } = yield* CurrentCaller
          const ticket = ticketFor(principal)
          yield* insertTicket(tokenHash(ticket), principal.user_id, principal.permissions)
          return { ticket, expires_in_seconds: TICKET_SECONDS }
        })
      )
  })
)

/** What bounds an account's sight. */
const eyesOf = ({ user, group_ids }: Account): string => [user.role, ...group_ids.toSorted()].join()

const admit = Effect.fnUntraced(function* (ticket: string) {
  const ground = readGround(ticket.split(".").slice(1))
  if (Result.isFailure(ground)) return yield* badTicket
  const taken = yield* takeTicket(tokenHash(ticket))
  const account = taken === null ? null : yield* findUser(taken.user_id)
  if (taken === null || account === null || account.disabled) return yield* badTicket
  const [kind, id] = ground.success
  const lives = kind === "session" ? isSessionLive(id) : isTokenLive(id)
  if (!(yield* lives)) return yield* badTicket
  const current = new Set(account.user.permissions)
  const principal: Principal = {
    kind: kind === "session" ? "user" : "token",
    user_id: account.user.id,
    username: account.user.username,
    role: account.user.role,
    permissions: new Set(taken.permissions.filter((permission) => current.has(permission))),
    group_ids: account.group_ids,
    session_id: kind === "session" ? id : null,
    token: kind === "token" ? { id, name: "" } : null
  }
  /** Whoever may see less or more than at the beginning hangs up, and comes back as who he is now. */
  const eyes = eyesOf(account)
  const stillValid = Effect.gen(function* () {
    if (!(yield* lives)) return false
    const now = yield* findUser(account.user.id)
    return now !== null && !now.disabled && eyesOf(now) === eyes
  })
  return { principal, stillValid }
})

const encode = Schema.encodeSync(Schema.fromJsonString(LiveMessage))
const decode = Schema.decodeUnknownResult(Schema.fromJsonString(LiveSubscribe), { onExcessProperty: "error" })

const FIRST_WORD_DEADLINE = "10 seconds"
const CHECK_EVERY = "5 seconds"
const CHECKS_A_PING = 4

/** One browser from subscribe to close. */
const converse = Effect.fnUntraced(function* (
  browser: AppSocket,
  pull: Effect.Effect<ReadonlyArray<string | Uint8Array>, unknown>,
  principal: Principal,
  topics: Subscription["topics"],
  stillValid: Effect.Effect<boolean, unknown, SqlClient.SqlClient>
) {
  const feed = yield* LiveFeed
  let leave: (() => void) | null = null
  const guard = Effect.gen(function* () {
    for (let checks = 1; ; checks++) {
      yield* Effect.sleep(CHECK_EVERY)
      if (!(yield* stillValid)) return browser.refuse("the session has ended, or sees other hosts now")
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
  while (true) {
    for (const frame of yield* pull) {
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
      yield* requireSameOrigin
      const { ticket } = yield* HttpServerRequest.ParsedSearchParams
      const { principal, stillValid } = yield* answered(admit(typeof ticket === "string" ? ticket : ""))
      yield* authorize(principal, permission)
      const socket = yield* request.upgrade
      const { pull } = yield* socket.reader
      const browser = AppSocket.of(NodeHttpServerRequest.toIncomingMessage(request))
      if (browser === undefined) return HttpServerResponse.empty({ status: 500 })
      // Every end of the connection, the good one too, arrives as a failure of `pull`.
      yield* Effect.ignore(converse(browser, pull, principal, topics, stillValid))
      return HttpServerResponse.empty()
    }).pipe(Effect.scoped, errorResponses)
  )

export const routes = Layer.mergeAll(route(sockets.fleet), route(sockets.jobs))
