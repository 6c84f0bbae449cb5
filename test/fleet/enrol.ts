/** The agent's side of enrolment, as generations from 1.2 on carry it out: agent-api.md section 8 is the source of every reaction. */
import { createHash } from "node:crypto"
import https from "node:https"
import type { Fleet, HostView } from "./Fleet.ts"

const REQUEST_MS = 30_000
const LARGEST_ANSWER = 1024 * 1024

export interface Machine {
  readonly machine_id: string
  readonly fqdn: string
  readonly ip_address: string
  readonly os_details: Readonly<Record<string, string>>
  readonly hostname?: string
}

/** What an agent is given and writes to its disk. */
export interface Bundle {
  readonly ca_crt: string
  readonly server_crt: string
  readonly server_key: string
  readonly crl_pem?: string
}

export type EnrolEnd =
  | { readonly end: "approved"; readonly bundle: Bundle }
  /** `gave_up`: as many polls as the agent is configured for. */
  | { readonly end: "denied" | "notfound" | "gave_up" }
  | { readonly end: "refused"; readonly status: number; readonly words: string }

export interface EnrolOptions {
  /** Scheme, host and port only. */
  readonly managerUrl: string
  /** As /etc/hosts of the machine would have it; the manager's name otherwise goes to the resolver. */
  readonly managerAddress?: string
  /** Where the calls come from. */
  readonly localAddress?: string
  readonly intervalMs?: number
  readonly attempts?: number
  /** What an earlier run left in the agent's configuration. */
  readonly storedToken?: string
  /** Called with each token before the first poll: agents write it down. */
  readonly store?: (token: string) => void
}

interface RawReply {
  readonly status: number
  readonly text: string
}

const send = (options: EnrolOptions, method: "GET" | "POST", path: string, body?: string): Promise<RawReply> =>
  new Promise((resolve, reject) => {
    const url = new URL(`${options.managerUrl}/api/v1/enroll${path}`)
    const request = https.request(
      {
        method,
        host: options.managerAddress ?? url.hostname,
        port: url.port === "" ? 443 : Number(url.port),
        path: url.pathname,
        // Before it is enrolled an agent has no CA to check the manager with.
        rejectUnauthorized: false,
        agent: false,
        ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
        signal: AbortSignal.timeout(REQUEST_MS),
        headers: {
          host: url.host,
          accept: "*/*",
          ...(body === undefined
            ? {}
            : { "content-type": "application/json", "content-length": Buffer.byteLength(body) })
        }
      },
      (response) => {
        let text = ""
        response.setEncoding("utf8")
        response.on("data", (chunk: string) => {
          text += chunk
          if (text.length > LARGEST_ANSWER) request.destroy(new Error("The manager's answer is too large"))
        })
        response.on("error", reject)
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }))
      }
    )
    request.on("error", reject)
    request.end(body)
  })

const record = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

/** One answer to a poll; undefined for everything an agent takes for a passing trouble. */
const readStatus = ({ status, text }: RawReply): EnrolEnd | undefined => {
  if (status !== 200) return undefined
  const body = record(text)
  switch (body?.["status"]) {
    case "denied":
    case "notfound":
      return { end: body["status"] }
    case "approved": {
      const { ca_crt, server_crt, server_key, crl_pem } = body
      if (typeof ca_crt !== "string" || typeof server_crt !== "string" || typeof server_key !== "string")
        return undefined
      return {
        end: "approved",
        bundle: { ca_crt, server_crt, server_key, ...(typeof crl_pem === "string" ? { crl_pem } : {}) }
      }
    }
    default:
      return undefined
  }
}

/** A token, or why there is none. */
const askToJoin = async (options: EnrolOptions, machine: Machine): Promise<string | EnrolEnd> => {
  const answer = await send(options, "POST", "", JSON.stringify(machine))
  const token = answer.status === 202 ? record(answer.text)?.["polling_token"] : undefined
  if (typeof token === "string") return token
  if (answer.status === 409 && options.storedToken !== undefined) return options.storedToken
  return { end: "refused", status: answer.status, words: answer.text }
}

/** Asks, writes the token down, polls until there is a verdict. Rejects where the first request gets no answer at all. */
export const enrol = async (options: EnrolOptions, machine: Machine): Promise<EnrolEnd> => {
  const token = await askToJoin(options, machine)
  if (typeof token !== "string") return token
  options.store?.(token)
  return pollToken(options, token)
}

/** The second half alone: what an agent does that was restarted while it waited. */
export const pollToken = async (options: EnrolOptions, token: string): Promise<EnrolEnd> => {
  for (let attempt = 0; attempt < (options.attempts ?? 1_440); attempt++) {
    const answer = await send(options, "GET", `/status/${token}`).catch((): RawReply => ({ status: 0, text: "" }))
    const end = readStatus(answer)
    if (end !== undefined) return end
    await new Promise((resolve) => setTimeout(resolve, options.intervalMs ?? 60_000))
  }
  return { end: "gave_up" }
}

/** What a stand-in says of itself; generation 1.0 knows no enrolment. */
export const machineOf = (host: HostView): Machine => {
  if (host.profile === "1.0") throw new Error("Agents of generation 1.0 cannot enrol themselves.")
  return {
    machine_id: createHash("md5").update(host.address).digest("hex"),
    fqdn: host.fqdn,
    ip_address: host.address,
    os_details: {
      distro: host.os,
      version: host.os_version,
      kernel: "6.8.0-45-generic",
      ...(host.profile === "1.2" ? {} : { name: host.os.toLowerCase() })
    },
    hostname: host.fqdn.split(".")[0] ?? host.fqdn
  }
}

/** A stand-in enrols itself: from its own address, and with what it is given it answers the manager from then on. */
export const enrolHost = async (fleet: Fleet, host: HostView, options: EnrolOptions): Promise<EnrolEnd> => {
  const end = await enrol({ localAddress: host.address, ...options }, machineOf(host))
  if (end.end === "approved") {
    fleet.setCa(end.bundle.ca_crt)
    fleet.setIdentity(host.address, {
      certificate_pem: end.bundle.server_crt,
      private_key_pem: end.bundle.server_key
    })
  }
  return end
}
