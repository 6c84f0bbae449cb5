import * as https from "node:https"
import { checkServerIdentity } from "node:tls"
import type { ConfigValues } from "../Config.ts"
import { StartError } from "./StartError.ts"

const deadlineMs = 15_000
const largestAnswer = 8 * 1024 * 1024
const patienceMs = 60_000

/** What the manager answered. */
export interface ManagerAnswer {
  readonly status: number
  readonly headers: Record<string, string | ReadonlyArray<string> | undefined>
  readonly body: unknown
}

/** Calls the REST API of the manager that runs here; waits and repeats when it says 429 with Retry-After. */
export type ManagerCall = (
  method: string,
  path: string,
  options?: { readonly body?: unknown; readonly headers?: Record<string, string> }
) => Promise<ManagerAnswer>

/** Where the web process listens, as seen from this machine. */
const listeningAddress = (bind: string): string => (bind === "0.0.0.0" ? "127.0.0.1" : bind === "::" ? "::1" : bind)

/** `caCertificate` is the PEM that the web certificate must descend from. Close the agent when done. */
export const managerCaller = (config: ConfigValues, caCertificate: string, token: string) => {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 8 })
  const publicUrl = new URL(config.web.publicUrl)
  const name = publicUrl.hostname.replace(/^\[(.*)\]$/, "$1")

  const once: ManagerCall = (method, path, options = {}) =>
    new Promise((resolve, reject) => {
      const payload = options.body === undefined ? undefined : JSON.stringify(options.body)
      const outgoing = https.request(
        {
          agent,
          method,
          path,
          host: listeningAddress(config.web.bind),
          port: config.web.port,
          ca: caCertificate,
          servername: /^[\d.:]+$/.test(name) ? "" : name,
          checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
          signal: AbortSignal.timeout(deadlineMs),
          headers: {
            host: publicUrl.host,
            accept: "application/json",
            authorization: `Bearer ${token}`,
            ...(payload === undefined
              ? {}
              : { "content-type": "application/json", "content-length": Buffer.byteLength(payload) }),
            ...options.headers
          }
        },
        (response) => {
          let size = 0
          const chunks: Array<Buffer> = []
          response.on("data", (chunk: Buffer) => {
            size += chunk.length
            if (size > largestAnswer) outgoing.destroy(new Error(`The answer to ${method} ${path} is too large`))
            else chunks.push(chunk)
          })
          response.on("error", reject)
          response.on("end", () => {
            const text = Buffer.concat(chunks).toString("utf8")
            try {
              const body: unknown = text === "" ? undefined : JSON.parse(text)
              resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
            } catch (error) {
              reject(error)
            }
          })
        }
      )
      outgoing.on("error", reject)
      outgoing.end(payload)
    })

  const call: ManagerCall = async (method, path, options) => {
    const end = performance.now() + patienceMs
    for (;;) {
      const answer = await once(method, path, options)
      if (answer.status === 429 && performance.now() < end) {
        const seconds = Number(answer.headers["retry-after"] ?? 1)
        await new Promise((resolve) => setTimeout(resolve, Math.min(Math.max(seconds || 1, 0.1), 30) * 1_000))
        continue
      }
      if (answer.status >= 200 && answer.status < 300) return answer
      throw new StartError({
        message: `the manager answered ${answer.status} to ${method} ${path}: ${JSON.stringify(answer.body)?.slice(0, 500)}`
      })
    }
  }
  return { call, close: () => agent.destroy() }
}
