/** Requests from an address of loopback, so that a web process tells callers apart. */
import { request } from "node:https"
import type { TestWeb } from "./TestWeb.ts"

export interface FromAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly text: string
  // A test reads what it expects.
  readonly body: Record<string, never>
}

/** Null where the connection was closed instead of answered. */
export const callFrom = (
  web: Pick<TestWeb, "port" | "ca">,
  localAddress: string,
  method: string,
  path: string,
  options: { readonly token?: string; readonly body?: unknown; readonly headers?: Record<string, string> } = {}
): Promise<FromAnswer | null> =>
  new Promise((resolve, reject) => {
    const text = options.body === undefined ? undefined : JSON.stringify(options.body)
    const sent = request(
      {
        host: "127.0.0.1",
        port: web.port,
        localAddress,
        servername: "localhost",
        ca: web.ca,
        agent: false,
        method,
        path,
        headers: {
          host: `localhost:${web.port}`,
          ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
          ...(text === undefined
            ? {}
            : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
          ...options.headers
        }
      },
      (response) => {
        let answer = ""
        response.setEncoding("utf8")
        response.on("data", (chunk: string) => (answer += chunk))
        response.on("end", () => {
          const isJson = String(response.headers["content-type"]).startsWith("application/json")
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: answer,
            body: isJson ? JSON.parse(answer) : {}
          })
        })
      }
    )
    sent.setTimeout(10_000, () => sent.destroy(new Error(`${method} ${path} was not answered`)))
    sent.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNRESET" || /socket disconnected|EPIPE/.test(error.message)) resolve(null)
      else reject(error)
    })
    sent.end(text)
  })
