import { Buffer } from "node:buffer"
import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import { WebSocketServer } from "ws"
import type { WebSocket } from "ws"
import type { StandIn } from "./StandIn.ts"
import { envelope, ok, timestamp } from "./Wire.ts"

const upgrader = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  maxPayload: 65_536,
  clientTracking: false
})

/** The first builds answer 101 with a JSON body and without a handshake. */
const answerStub = (socket: Duplex): void => {
  const body = envelope(ok({ message: "WebSocket endpoint - upgrade required", path: "/api/v1/ws/jobs" }))
  socket.end(
    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\ncontent-type: application/json\r\n" +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  )
}

const message = (event: string, jobId: string, status: string, text: string): string =>
  JSON.stringify({ event, job_id: jobId, status, progress: 0, message: text, timestamp: timestamp() })

const answer = (text: string): string => {
  const refused = message("error", "", "invalid_message", "Invalid message format")
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return refused
  }
  const { action, job_id: jobId } = (parsed ?? {}) as Readonly<Record<string, unknown>>
  if (jobId !== undefined && jobId !== null && typeof jobId !== "string") return refused
  if (action === "subscribe") {
    return typeof jobId === "string"
      ? message("subscribed", jobId, "subscribed", `Subscribed to job ${jobId}`)
      : message("subscribed", "all", "subscribed", "Subscribed to all jobs")
  }
  if (action === "unsubscribe" && typeof jobId === "string") {
    return message("unsubscribed", jobId, "unsubscribed", `Unsubscribed from job ${jobId}`)
  }
  return refused
}

/** So many events about the newest job at once; events that cannot leave are not heaped up here. */
const pour = (host: StandIn, socket: WebSocket, count: number): void => {
  if (socket.bufferedAmount > 1024 * 1024) return
  const id = host.jobs.newestFirst()[0]?.id ?? ""
  const text = message("job_status", id, "running", "flood")
  for (let i = 0; i < count; i++) {
    socket.send(text)
    host.floodedEvents += 1
  }
}

const serve = (host: StandIn, socket: WebSocket): void => {
  // Every connection has all jobs from the start, and no message turns that off.
  const mute = host.script.take(["mute_socket"]) !== undefined
  let last: string | undefined
  const unsubscribe = host.jobs.subscribe((event) => {
    if (mute) return
    const text = JSON.stringify(event)
    socket.send(text)
    if (host.script.peek("double_events") === undefined) return
    // The same again, and then the one before it, as if it had been overtaken.
    socket.send(text)
    if (last !== undefined) socket.send(last)
    last = text
  })
  const flood = host.script.take(["event_flood"])
  const flooding = flood === undefined ? undefined : setInterval(() => pour(host, socket, flood.per_second / 100), 10)
  let heard = Date.now()
  const hear = () => {
    heard = Date.now()
  }
  const heartbeat = setInterval(() => {
    if (mute) return
    if (Date.now() - heard > host.timing.pingMs * 2) socket.terminate()
    else socket.ping()
  }, host.timing.pingMs)
  socket.on("pong", hear)
  socket.on("ping", hear)
  socket.on("message", (data, binary) => {
    if (!binary) socket.send(answer(data.toString()))
  })
  socket.on("error", () => socket.terminate())
  socket.on("close", () => {
    clearInterval(heartbeat)
    clearInterval(flooding)
    unsubscribe()
  })
  socket.send(message("connected", "", "connected", "Connected to job status stream"))
}

/** Answers an upgrade request on the job WebSocket's path. */
export const upgradeToJobSocket = (host: StandIn, request: IncomingMessage, socket: Duplex, head: Buffer): void => {
  if (new URL(request.url ?? "/", "https://agent").pathname !== "/api/v1/ws/jobs") {
    socket.end("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    return
  }
  if (host.profile.webSocket === "stub") answerStub(socket)
  else upgrader.handleUpgrade(request, socket, head, (client) => serve(host, client))
}
