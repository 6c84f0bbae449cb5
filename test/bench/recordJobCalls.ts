/**
 * Loaded into the fleet's process before the fleet: tells the bench of every look at a host's job list, which is a job's first
 * call and no part of a poll. The clock is the machine's monotonic one, the same in every process.
 */
import { subscribe } from "node:diagnostics_channel"
import type { IncomingMessage } from "node:http"

export interface JobCall {
  readonly address: string
  /** Nanoseconds, as text. */
  readonly at: string
}

subscribe("http.server.request.start", (message) => {
  const { request } = message as { readonly request: IncomingMessage }
  if (request.method !== "GET" || !/^\/api\/v1\/jobs(\?|$)/.test(request.url ?? "")) return
  const call: JobCall = { address: request.socket.localAddress ?? "", at: String(process.hrtime.bigint()) }
  process.send?.(call)
})
