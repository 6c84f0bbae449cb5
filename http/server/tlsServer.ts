/** Node's HTTPS server with our limits: TLS 1.3 alone, short deadlines, and an envelope even for what is no HTTP. */
import { createServer, type Server } from "node:https"
import type { Socket } from "node:net"
import { newRequestId } from "#core/newId.ts"
import { envelope } from "./RequestContext.ts"
import type { WebSettings } from "./WebSettings.ts"

const phrases: Readonly<Record<number, string>> = {
  400: "Bad Request",
  408: "Request Timeout",
  431: "Request Header Fields Too Large"
}

const statusOf = (code: string | undefined): number => {
  if (code === "HPE_HEADER_OVERFLOW") return 431
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return 408
  return 400
}

const refuse = (error: NodeJS.ErrnoException, socket: Socket): void => {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy()
    return
  }
  const id = newRequestId()
  const status = statusOf(error.code)
  const body = JSON.stringify(envelope(status, id))
  socket.end(
    `HTTP/1.1 ${status} ${phrases[status] ?? "Bad Request"}\r\ncontent-type: application/json\r\nx-request-id: ${id}\r\n` +
      `cache-control: no-store\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  )
}

export const tlsServer = ({ tls, maxConnections }: WebSettings): Server => {
  const server = createServer({
    key: tls.key,
    cert: tls.cert,
    minVersion: "TLSv1.3",
    maxVersion: "TLSv1.3",
    ALPNProtocols: ["http/1.1"],
    handshakeTimeout: 10_000,
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    connectionsCheckingInterval: 2_000,
    keepAliveTimeout: 65_000,
    maxHeaderSize: 16_384
  })
  server.maxConnections = maxConnections ?? 2000
  server.on("clientError", refuse)
  return server
}
