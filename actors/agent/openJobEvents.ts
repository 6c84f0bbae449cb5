/** The agent's event socket: only a hint to look again, for it loses events and knows no replay. */
import { Effect } from "effect"
import { WebSocket } from "ws"
import type { AgentJobId } from "#core/Ids.ts"
import { type AgentTarget, targetOrigin } from "./AgentTarget.ts"
import type { Wiring } from "./call.ts"
import { decodeJobEvent } from "./decode/jobs.ts"
import { parseJson } from "./decode/json.ts"
import { dial, type Link } from "./dial.ts"

/** Agents ping every 5 s; a socket silent for so long is dead. */
const SILENCE_MS = 30_000
const MAX_MESSAGE_BYTES = 64 * 1024
/** In a second; agents send a few for each job. */
const MOST_EVENTS = 100

export interface JobEvents {
  readonly isOpen: () => boolean
  readonly close: () => void
}

export interface JobEventsListener {
  /** Called at once when the socket is open, so that whoever is interrupted then still has it to close. */
  readonly opened: (events: JobEvents) => void
  /** For every event of the job, and when the socket closes. */
  readonly rang: () => void
  /** More events than anybody needs; the socket is closed. */
  readonly flooded: () => void
}

/**
 * How the attempt ended. `unsupported`: the agent answers the upgrade but speaks no WebSocket, as 1.0 does.
 */
export type OpeningOutcome = "open" | "failed" | "unsupported"

/** Never fails: without events there is polling. */
export const openJobEvents = (
  wiring: Wiring,
  target: AgentTarget,
  jobId: AgentJobId,
  connectMs: number,
  listener: JobEventsListener
): Effect.Effect<OpeningOutcome> =>
  Effect.callback<OpeningOutcome>((resume) => {
    let socket: WebSocket | undefined
    let settled = false
    let silence: NodeJS.Timeout | undefined
    const settle = (outcome: OpeningOutcome): void => {
      if (settled) return
      settled = true
      clearTimeout(deadline)
      resume(Effect.succeed(outcome))
    }
    const upgrade = (link: Link): void => {
      if (settled) return
      const ws = new WebSocket(`${targetOrigin(target).replace("https:", "wss:")}/api/v1/ws/jobs`, {
        createConnection: () => link.socket,
        perMessageDeflate: false,
        maxPayload: MAX_MESSAGE_BYTES,
        followRedirects: false
      })
      socket = ws
      let second = 0
      let events = 0
      const isFlood = (): boolean => {
        const now = Math.floor(performance.now() / 1000)
        events = now === second ? events + 1 : 1
        second = now
        return events > MOST_EVENTS
      }
      ws.on("ping", () => silence?.refresh())
      ws.on("message", (data, isBinary) => {
        if (ws.readyState !== WebSocket.OPEN) return
        if (isFlood()) {
          listener.flooded()
          return ws.terminate()
        }
        silence?.refresh()
        if (isBinary) return
        const event = decodeJobEvent(parseJson(data.toString()))
        if (event?.job_id === jobId) listener.rang()
      })
      ws.once("open", () => {
        silence = setTimeout(() => ws.terminate(), SILENCE_MS)
        listener.opened({ isOpen: () => ws.readyState === WebSocket.OPEN, close: () => ws.terminate() })
        settle("open")
      })
      // A broken answer to the upgrade; a broken connection has no such message.
      ws.on("error", (error) => {
        settle(
          /Sec-WebSocket|Unexpected server response|Invalid Upgrade/i.test(error.message) ? "unsupported" : "failed"
        )
        ws.terminate()
      })
      ws.once("close", () => {
        clearTimeout(silence)
        if (settled) listener.rang()
        settle("failed")
      })
    }
    let link: Link
    try {
      link = dial(wiring, target, upgrade, () => settle("failed"))
    } catch {
      // The calls beside it say why.
      return resume(Effect.succeed("failed"))
    }
    const give = (): void => {
      settle("failed")
      socket?.terminate()
      link.socket.destroy()
    }
    const deadline = setTimeout(give, connectMs)
    return Effect.sync(() => {
      clearTimeout(deadline)
      give()
    })
  })
