/** Answers that no client should trust: too slow, too large, half, or not what really is. */
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { createGzip } from "node:zlib"
import type { Misbehaviour } from "./Misbehaviour.ts"
import type { StandIn } from "./StandIn.ts"
import type { Answer } from "./Wire.ts"
import { bodyOf } from "./Wire.ts"

/** A ServerHello that never ends: the head of a large record, then a byte at a time. */
export const dripHandshake = (raw: Socket, intervalMs: number): void => {
  raw.write(Buffer.from([0x16, 0x03, 0x03, 0x3f, 0x00]))
  const timer = setInterval(() => raw.write(Buffer.from([0x02])), intervalMs)
  raw.on("close", () => clearInterval(timer))
}

/** One byte of the body at a time. */
export const drip = (response: ServerResponse, body: string, intervalMs: number): void => {
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) })
  let sent = 0
  const timer = setInterval(() => {
    response.write(body.charAt(sent))
    sent += 1
    if (sent >= body.length) response.end()
  }, intervalMs)
  response.on("close", () => clearInterval(timer))
}

/** So many bytes of one string, as fast as they are taken. */
export const flood = (host: StandIn, response: ServerResponse, bytes: number): void => {
  const began = performance.now()
  response.writeHead(200, { "content-type": "application/json" })
  response.write('{"success":true,"data":{"status":"')
  const chunk = Buffer.alloc(65_536, "x")
  let left = bytes
  const more = () => {
    while (left > 0) {
      left -= chunk.length
      if (!response.write(chunk)) {
        response.once("drain", more)
        return
      }
    }
    response.end('"}}')
  }
  response.on("close", () => {
    host.lastFlood = { bytes: bytes - left, ms: performance.now() - began }
    left = 0
  })
  more()
}

/** A small answer that unpacks to a large one. */
export const gzipBomb = (host: StandIn, response: ServerResponse, unpackedBytes: number): void => {
  const began = performance.now()
  response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" })
  const gzip = createGzip({ level: 9 })
  const zeros = Buffer.alloc(1024 * 1024)
  let left = unpackedBytes
  let packed = 0
  gzip.on("data", (data: Buffer) => {
    packed += data.length
    response.write(data)
  })
  gzip.on("end", () => response.end())
  const more = (): void => {
    if (left <= 0 || response.destroyed) return void gzip.end()
    left -= zeros.length
    gzip.write(zeros, () => setImmediate(more))
  }
  response.on("close", () => {
    host.lastFlood = { bytes: packed, ms: performance.now() - began }
    left = 0
  })
  more()
}

/** The status line and then one header after the other. */
export const endlessHeaders = (request: IncomingMessage, intervalMs: number): void => {
  const { socket } = request
  socket.write("HTTP/1.1 200 OK\r\n")
  let n = 0
  const timer = setInterval(() => socket.write(`x-header-${n++}: ${"y".repeat(20)}\r\n`), intervalMs)
  socket.on("close", () => clearInterval(timer))
}

/** Half of the body, and the connection stays open. */
export const stall = (response: ServerResponse, answer: Answer): void => {
  const body = bodyOf(answer)
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) })
  response.write(body.slice(0, body.length >> 1))
}

/** A TCP reset as soon as a byte of the body is there; at once where there is none. */
export const resetDuringBody = (host: StandIn, request: IncomingMessage): void => {
  const { remotePort } = request.socket
  const reset = () => {
    for (const raw of host.sockets) if (raw.remotePort === remotePort) raw.resetAndDestroy()
  }
  if (request.headers["content-length"] === undefined) reset()
  else request.once("data", reset)
}

const aTime = /"(\d{4}-\d\d-\d\dT[^"]+)"/g

const withUnknown = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withUnknown)
  if (typeof value !== "object" || value === null) return value
  const known = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withUnknown(inner)]))
  return { from_the_future: { of: ["tomorrow", 1, null] }, ...known, "": [] }
}

type Told = Extract<Misbehaviour, { kind: "unknown_fields" | "clock_off" | "report_as" }>

/** The answer with other words in it; answers that are no envelope stay as they are. */
export const answerChanged = (told: Told, answer: Answer): Answer => {
  if (answer.kind !== "data") return answer
  switch (told.kind) {
    case "unknown_fields":
      return { ...answer, data: withUnknown(answer.data) }
    case "clock_off": {
      const shifted = JSON.stringify(answer.data).replaceAll(
        aTime,
        (_, time: string) => `"${new Date(Date.parse(time) + told.seconds * 1000).toISOString()}"`
      )
      return { ...answer, data: JSON.parse(shifted), told_at: Date.now() + told.seconds * 1000 }
    }
    case "report_as": {
      const data = answer.data as Readonly<Record<string, unknown>>
      if (data["status"] !== "running" && data["status"] !== "pending") return answer
      return {
        ...answer,
        data: { ...data, status: told.status ?? data["status"], progress: told.progress ?? data["progress"] }
      }
    }
  }
}
