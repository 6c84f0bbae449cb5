/** One HTTP exchange with an agent on a connection of its own: slot, dial, request, whole answer, all within one deadline. */
import { Effect } from "effect"
import { Client } from "undici"
import { agentFailure, type AgentFailure, type Delivery } from "./AgentFailure.ts"
import { AgentLane, type AgentSlots, type Lane, type Ticket } from "./AgentSlots.ts"
import { type AgentTarget, describeTarget, targetOrigin } from "./AgentTarget.ts"
import { dial, type Dialling, type Link } from "./dial.ts"
import { EgressRefused } from "./EgressRefused.ts"
import { RequestSent } from "./RequestSent.ts"
import { SendCheck } from "./SendCheck.ts"
import { transportFailure } from "./transportFailure.ts"

const API = "/api/v1"
const MAX_HEADER_BYTES = 16 * 1024

export interface AgentRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE"
  /** Below `/api/v1`. */
  readonly path: string
  /** JSON text. */
  readonly body?: string
  readonly limitBytes: number
  /** From the moment a slot is free to the last byte of the answer. */
  readonly deadlineMs: number
  readonly connectMs: number
}

/** The whole answer, whatever its status. */
export interface AgentAnswer {
  readonly status: number
  readonly retryAfter: string | null
  readonly text: string
}

export interface Wiring extends Dialling {
  readonly slots: AgentSlots["Service"]
}

/** A host that we hang up on takes a moment to notice; until then the connection still counts as open over there. */
const NOTICE_MS = 20

const noop = (): void => {}

/** Given to each client that is done with; undici would otherwise make one, with its stack, for every call. */
const over = new Error("The exchange is over.")

const single = (value: string | Array<string> | undefined): string | null =>
  (Array.isArray(value) ? value[0] : value) ?? null

const seconds = (ms: number): string => `${ms / 1000} s`

/** Starts the exchange; `done` is called at most once, and never after the returned function, which destroys the socket. */
const exchange = (
  wiring: Wiring,
  lane: Lane,
  target: AgentTarget,
  request: AgentRequest,
  mayStillSend: () => string | null,
  sent: () => void,
  done: (outcome: AgentAnswer | AgentFailure) => void
): (() => void) => {
  let ended = false
  let handedOver = false
  let answered = false
  let status = 0
  let retryAfter: string | null = null
  const chunks: Array<Buffer> = []
  let ticket: Ticket | undefined
  let link: Link | undefined
  let client: Client | undefined
  let connectTimer: NodeJS.Timeout | undefined
  let deadlineTimer: NodeJS.Timeout | undefined

  /** The request's first byte can only leave after undici has been given the socket. */
  const delivery = (): Delivery => (handedOver ? "unclear" : "unsent")

  const stop = (): void => {
    ended = true
    clearTimeout(connectTimer)
    clearTimeout(deadlineTimer)
    link?.socket.destroy()
    client?.destroy(over, noop)
    if (!link) ticket?.release()
  }
  const end = (outcome: AgentAnswer | AgentFailure): void => {
    if (ended) return
    stop()
    done(outcome)
  }
  const broke = (at: Link, error: Error): void => {
    if (ended) return
    wiring.sessions.drop(at.sessionKey)
    end(
      transportFailure(target, at, error, {
        delivery: delivery(),
        answerBegan: status !== 0,
        limitBytes: request.limitBytes
      })
    )
  }
  const giveUp = (kind: "connect_timeout" | "timed_out" | "unreachable_network", what: string): void =>
    end(agentFailure(kind, { message: `${describeTarget(target)}: ${what}`, delivery: delivery() }))

  const send = (secure: Link): void => {
    if (ended) return
    clearTimeout(connectTimer)
    const reason = mayStillSend()
    if (reason !== null) return end(agentFailure("busy", { message: reason, delivery: "unsent" }))
    client = new Client(targetOrigin(target), {
      // Not at once: undici only goes on when its connector answers later.
      connect: (_options, callback) =>
        queueMicrotask(() => {
          if (ended) return
          // Asked again it would send again: one connection, one request.
          if (handedOver) return callback(new Error("The connection is used up."), null)
          handedOver = true
          callback(null, secure.socket)
          setImmediate(sent)
        }),
      pipelining: 0,
      allowH2: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      maxResponseSize: wiring.guardsOff.has("size_limit") ? -1 : request.limitBytes,
      headersTimeout: 0,
      bodyTimeout: 0
    })
    client.dispatch(
      {
        method: request.method,
        path: `${API}${request.path}`,
        ...(request.body === undefined
          ? { headers: { accept: "application/json" } }
          : { headers: { accept: "application/json", "content-type": "application/json" }, body: request.body })
      },
      {
        onRequestStart: noop,
        onResponseStart: (_controller, code, headers) => {
          status = code
          retryAfter = single(headers["retry-after"])
        },
        onResponseData: (_controller, chunk) => void chunks.push(chunk),
        onResponseEnd: () => {
          answered = true
          const [first] = chunks
          const text = chunks.length === 1 && first ? first.toString("utf8") : Buffer.concat(chunks).toString("utf8")
          end({ status, retryAfter, text })
        },
        onResponseError: (_controller, error) => broke(secure, error)
      }
    )
  }

  ticket = wiring.slots.take(lane, target.host_id, () => {
    if (!wiring.guardsOff.has("deadline"))
      deadlineTimer = setTimeout(
        () =>
          giveUp(
            "timed_out",
            `It took the connection but did not answer within ${seconds(request.deadlineMs)}. Look at the agent's log on the host.`
          ),
        request.deadlineMs
      )
    connectTimer = setTimeout(
      () =>
        giveUp(
          "connect_timeout",
          link?.socket.connecting === false
            ? `It took the connection but did not complete the TLS handshake within ${seconds(request.connectMs)}. Check that an agent listens on this port.`
            : `No connection within ${seconds(request.connectMs)}. Check that the host is up and no firewall drops the port.`
        ),
      request.connectMs
    )
    try {
      link = dial(wiring, target, send, broke)
      link.socket.once("close", () => {
        if (answered) ticket?.release()
        else setTimeout(() => ticket?.release(), NOTICE_MS)
      })
    } catch (cause) {
      giveUp(
        "unreachable_network",
        cause instanceof EgressRefused ? cause.message : `No connection could be started: ${String(cause)}`
      )
    }
  })
  // Where the slot was free and the dialling failed at once, the ticket was not there yet to be given back.
  if (ended && !link) ticket.release()
  return stop
}

/** Interrupting it destroys the socket; waiting for a slot does not count towards the deadline. */
export const call = (
  wiring: Wiring,
  target: AgentTarget,
  request: AgentRequest
): Effect.Effect<AgentAnswer, AgentFailure> =>
  Effect.withFiber((fiber) => {
    const lane = fiber.getRef(AgentLane)
    const sent = fiber.getRef(RequestSent)
    const check = fiber.getRef(SendCheck)
    return Effect.callback<AgentAnswer, AgentFailure>((resume) => {
      const stop = exchange(wiring, lane, target, request, check, sent, (outcome) =>
        resume("kind" in outcome ? Effect.fail(outcome) : Effect.succeed(outcome))
      )
      return Effect.sync(stop)
    })
  })
