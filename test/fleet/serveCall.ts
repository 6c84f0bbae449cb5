import type { IncomingMessage, ServerResponse } from "node:http"
import { route } from "./routes.ts"
import { answerChanged, drip, endlessHeaders, flood, gzipBomb, resetDuringBody, stall } from "./strangeAnswers.ts"
import type { StandIn } from "./StandIn.ts"
import type { Answer } from "./Wire.ts"
import { bodyOf, plain, refuse, send } from "./Wire.ts"

const journalLength = 200

const criticalHeaders: ReadonlySet<string> = new Set(["content-type", "authorization", "host"])

const duplicateHeader = (request: IncomingMessage): string | undefined => {
  const seen = new Set<string>()
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    const name = (request.rawHeaders[i] ?? "").toLowerCase()
    if (criticalHeaders.has(name) && seen.has(name)) return name
    seen.add(name)
  }
  return undefined
}

/** Does what the host was told to do wrong with this call; says whether the call is dealt with. */
const misbehave = async (
  host: StandIn,
  call: { readonly method: string; readonly path: string },
  request: IncomingMessage,
  response: ServerResponse
): Promise<boolean> => {
  const told = host.script.take(
    [
      "hang",
      "drip",
      "garbage_http",
      "garbage_json",
      "huge",
      "rate_limited",
      "server_error",
      "lost_answer",
      "lost_request",
      "slow",
      "late_answer",
      "reset_request",
      "endless_headers",
      "stall",
      "gzip_bomb",
      "unknown_fields",
      "clock_off",
      "report_as"
    ],
    call
  )
  switch (told?.kind) {
    case undefined:
      return false
    case "hang":
      return true
    case "drip": {
      const answer = await route(host, request)
      drip(response, bodyOf(answer), told.interval_ms ?? 200)
      return true
    }
    case "garbage_http":
      request.socket.end("\u0001\u0002 this is not HTTP \r\n\r\n")
      return true
    case "garbage_json":
      response.writeHead(200, { "content-type": "application/json" })
      response.end(told.body ?? "OK")
      return true
    case "huge":
      flood(host, response, told.bytes ?? 64 * 1024 * 1024)
      return true
    case "rate_limited": {
      const seconds = told.retry_after_seconds ?? 3
      send(response, tooMany(seconds))
      return true
    }
    case "server_error":
      send(
        response,
        refuse(
          told.status ?? 500,
          told.code ?? "PKG_MANAGER_ERROR",
          told.message ?? "Failed to list patches: apt-get list failed: E: Invalid operation list",
          { retryable: told.retryable ?? true }
        )
      )
      return true
    case "lost_answer":
      await route(host, request)
      request.socket.destroy()
      return true
    case "lost_request":
      request.socket.destroy()
      return true
    case "slow":
      await new Promise((resolve) => setTimeout(resolve, told.delay_ms))
      return false
    case "late_answer": {
      const answer = await answerFor(host, request)
      await new Promise((resolve) => setTimeout(resolve, told.delay_ms))
      if (!response.destroyed) send(response, answer)
      return true
    }
    case "reset_request":
      resetDuringBody(host, request)
      return true
    case "endless_headers":
      endlessHeaders(request, told.interval_ms ?? 200)
      return true
    case "stall":
      stall(response, await answerFor(host, request))
      return true
    case "gzip_bomb":
      gzipBomb(host, response, told.unpacked_bytes ?? 1024 * 1024 * 1024)
      return true
    case "unknown_fields":
    case "clock_off":
    case "report_as":
      send(response, answerChanged(told, await answerFor(host, request)))
      return true
  }
}

const tooMany = (seconds: number): Answer =>
  plain(429, `Rate limit exceeded. Retry after ${seconds} seconds.`, { "retry-after": String(seconds) })

const answerFor = async (host: StandIn, request: IncomingMessage): Promise<Answer> => {
  try {
    return await route(host, request)
  } catch (cause) {
    return refuse(500, "PKG_MANAGER_ERROR", String(cause), { retryable: true })
  }
}

/** One HTTP call to one stand-in, from the rate limit to the last byte. */
export const serveCall = async (host: StandIn, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  response.on("error", () => request.socket.destroy())
  const method = request.method ?? "GET"
  const path = (request.url ?? "/").split("?")[0] ?? "/"
  const key = `${method} ${path}`
  host.calls.set(key, (host.calls.get(key) ?? 0) + 1)
  host.journal.push({ at: performance.now(), call: key })
  if (host.journal.length > journalLength) host.journal.shift()
  const wait = host.rateLimit?.hit(request.socket.remoteAddress ?? "", method, path)
  if (wait !== undefined) return send(response, tooMany(wait))
  const duplicate = host.profile.refusesDuplicateHeaders ? duplicateHeader(request) : undefined
  if (duplicate !== undefined) return send(response, plain(400, `Duplicate header: ${duplicate}`))
  if (await misbehave(host, { method, path: path.replace(/^\/api\/v1/, "") }, request, response)) return
  const answer = await answerFor(host, request)
  if (!response.destroyed) send(response, answer)
}
