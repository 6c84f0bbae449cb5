import https from "node:https"
import type { IncomingHttpHeaders } from "node:http"
import type { Identity } from "./Misbehaviour.ts"

/** What came back, byte for byte. */
export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body as JSON, or undefined when it is not. */
  readonly json: unknown
}

export interface RawCall {
  readonly address: string
  readonly port: number
  readonly ca: string
  readonly client?: Identity
  readonly method?: string
  readonly path: string
  /** A string goes out as it is, anything else as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly deadlineMs?: number
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** One call on a connection of its own, with no forgiveness: any failure of the transport rejects. */
export const rawCall = (call: RawCall): Promise<RawAnswer> =>
  new Promise((resolve, reject) => {
    const body =
      call.body === undefined ? undefined : typeof call.body === "string" ? call.body : JSON.stringify(call.body)
    const outgoing = https.request(
      {
        host: call.address,
        port: call.port,
        path: call.path,
        method: call.method ?? (body === undefined ? "GET" : "POST"),
        agent: false,
        ca: call.ca,
        ...(call.client === undefined ? {} : { cert: call.client.certificate_pem, key: call.client.private_key_pem }),
        headers: {
          ...(body === undefined
            ? {}
            : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
          ...call.headers
        },
        signal: AbortSignal.timeout(call.deadlineMs ?? 10_000)
      },
      (response) => {
        const chunks: Array<Buffer> = []
        response.on("data", (chunk: Buffer) => chunks.push(chunk))
        response.on("error", reject)
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8")
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parse(text) })
        })
      }
    )
    outgoing.on("error", reject)
    outgoing.end(body)
  })
