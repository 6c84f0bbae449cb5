/**
 * What a poll costs at least: `node:https` with one shared secure context, and `node:tls` under it, with and without a request.
 * No retries, no deadlines, no identity beyond Node's own check, nothing stored.
 */
import { readFileSync } from "node:fs"
import { Agent, get } from "node:https"
import { join } from "node:path"
import { connect, createSecureContext } from "node:tls"
import { answerQuestions } from "./Child.ts"

export interface RawStart {
  readonly secretsDir: string
  readonly port: number
  readonly addresses: ReadonlyArray<string>
  readonly concurrency: number
}

export interface RawOrder {
  readonly kind: "https" | "tls" | "tls_handshake"
  readonly resumed: boolean
}

export interface RawResult {
  readonly cpuMsPerPoll: number
  readonly wallMs: number
  readonly errors: number
  readonly latencies: ReadonlyArray<number>
}

const { secretsDir, port, addresses, concurrency } = JSON.parse(process.argv[2] ?? "{}") as RawStart
const secret = (name: string) => readFileSync(join(secretsDir, name))
const secureContext = createSecureContext({
  ca: secret("ca.pem"),
  cert: secret("manager.pem"),
  key: secret("manager.key.pem"),
  minVersion: "TLSv1.3"
})
const path = "/api/v1/health"
const fresh = new Agent({ keepAlive: false, maxCachedSessions: 0, secureContext })
const resuming = new Agent({ keepAlive: false, maxCachedSessions: 20_000, secureContext })
const sessions = new Map<string, Buffer>()

const pollByHttps = (host: string, resumed: boolean): Promise<void> =>
  new Promise((resolve, reject) => {
    get({ host, port, path, agent: resumed ? resuming : fresh }, (response) => {
      const parts: Array<Buffer> = []
      response.on("data", (part: Buffer) => parts.push(part))
      response.on("error", reject)
      response.on("end", () => {
        JSON.parse(Buffer.concat(parts).toString())
        resolve()
      })
    }).on("error", reject)
  })

const request = (host: string): string => `GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: close\r\n\r\n`

const pollByTls = (host: string, resumed: boolean, handshakeOnly: boolean): Promise<void> =>
  new Promise((resolve, reject) => {
    const session = resumed ? sessions.get(host) : undefined
    const socket = connect({ host, port, secureContext, ...(session ? { session } : {}) })
    const parts: Array<Buffer> = []
    if (resumed) socket.on("session", (it: Buffer) => sessions.set(host, it))
    socket.on("secureConnect", () => (handshakeOnly ? socket.end() : socket.write(request(host))))
    socket.on("data", (part: Buffer) => parts.push(part))
    socket.on("error", reject)
    socket.on("close", () => {
      if (!handshakeOnly) {
        const text = Buffer.concat(parts).toString()
        JSON.parse(text.slice(text.indexOf("\r\n\r\n") + 4))
      }
      resolve()
    })
  })

const pollOnce = (host: string, { kind, resumed }: RawOrder): Promise<void> =>
  kind === "https" ? pollByHttps(host, resumed) : pollByTls(host, resumed, kind === "tls_handshake")

const sweep = async (order: RawOrder): Promise<RawResult> => {
  const latencies: Array<number> = []
  let errors = 0
  let next = 0
  const loop = async (): Promise<void> => {
    for (let host = addresses[next++]; host !== undefined; host = addresses[next++]) {
      const began = performance.now()
      await pollOnce(host, order).catch(() => void (errors += 1))
      latencies.push(performance.now() - began)
    }
  }
  const cpu = process.cpuUsage()
  const began = performance.now()
  await Promise.all(Array.from({ length: concurrency }, loop))
  const { user, system } = process.cpuUsage(cpu)
  const cpuMsPerPoll = (user + system) / 1000 / addresses.length
  return { cpuMsPerPoll, wallMs: performance.now() - began, errors, latencies }
}

answerQuestions("ready", (order: RawOrder) => sweep(order))
