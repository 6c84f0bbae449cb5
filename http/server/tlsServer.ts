/** Node's HTTPS server with our limits: TLS 1.3 alone, short deadlines, and an envelope even for what is no HTTP. */
import type { IncomingMessage, ServerResponse } from "node:http"
import { createServer, type Server } from "node:https"
import type { Socket } from "node:net"
import { limits } from "#core/Limits.ts"
import { newRequestId } from "#core/newId.ts"
import { envelope } from "./RequestContext.ts"
import type { WebConfig } from "./WebSettings.ts"

const phrases: Readonly<Record<number, string>> = {
  400: "Bad Request",
  408: "Request Timeout",
  431: "Request Header Fields Too Large"
}

/** After an answer, for a client that does not hang up by itself. */
const LINGER_MILLIS = 2_000

/** Faults of what was sent as HTTP. Of others, such as half a handshake, nothing can be said on the connection. */
const isOfHttp = (code: string | undefined): boolean => /^(HPE_|ERR_HTTP_)/.test(code ?? "")

const statusOf = (code: string | undefined): number => {
  if (code === "HPE_HEADER_OVERFLOW") return 431
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return 408
  return 400
}

/** Makes the answer to what never became a request. */
const refuseWith =
  (headersFor: WebConfig["Service"]["headersFor"]) =>
  (error: NodeJS.ErrnoException, socket: Socket): void => {
    if (!isOfHttp(error.code) || !socket.writable) {
      socket.destroy()
      return
    }
    const id = newRequestId()
    const status = statusOf(error.code)
    const body = JSON.stringify(envelope(status, id))
    const headers = {
      "content-type": "application/json",
      "x-request-id": id,
      "cache-control": "no-store",
      connection: "close",
      "content-length": String(Buffer.byteLength(body)),
      ...headersFor("")
    }
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.end(`HTTP/1.1 ${status} ${phrases[status] ?? "Bad Request"}\r\n${lines.join("")}\r\n${body}`)
    setTimeout(() => socket.destroy(), LINGER_MILLIS).unref()
  }

/** Every connection is shown to `takes` first: a refused one is closed before a byte of TLS. */
export const tlsServer = (config: WebConfig["Service"], takes: (socket: Socket) => boolean): Server => {
  const server = createServer({
    key: config.tls.key,
    cert: config.tls.cert,
    minVersion: "TLSv1.3",
    maxVersion: "TLSv1.3",
    ALPNProtocols: ["http/1.1"],
    handshakeTimeout: limits.tls_handshake_seconds * 1000,
    headersTimeout: limits.headers_seconds * 1000,
    requestTimeout: limits.request_seconds * 1000,
    connectionsCheckingInterval: 2_000,
    keepAliveTimeout: limits.keep_alive_seconds * 1000,
    maxHeaderSize: limits.header_bytes,
    // Anything else that asks for an upgrade is answered as the plain request it also is.
    shouldUpgradeCallback: (request) => request.headers.upgrade?.toLowerCase() === "websocket"
  })
  server.maxConnections = config.maxConnections ?? limits.connections
  server.on("clientError", refuseWith(config.headersFor))
  server.on("checkExpectation", (_request: IncomingMessage, response: ServerResponse) => {
    const id = newRequestId()
    for (const [name, value] of Object.entries(config.headersFor(""))) response.setHeader(name, value)
    response.setHeader("x-request-id", id)
    response.setHeader("cache-control", "no-store")
    response.writeHead(417, { "content-type": "application/json", connection: "close" })
    response.end(JSON.stringify(envelope(417, id)))
  })
  const handshake = server.listeners("connection")
  server.removeAllListeners("connection")
  server.on("connection", (socket: Socket) => {
    if (!takes(socket)) return socket.destroy()
    for (const listener of handshake) Reflect.apply(listener, server, [socket])
  })
  return server
}
