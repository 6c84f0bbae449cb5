import type { IncomingMessage } from "node:http"
import type { Wanted } from "./Backend.ts"
import type { Answer } from "./Wire.ts"
import { plain } from "./Wire.ts"

const bodyLimit = 2 * 1024 * 1024

/** A body the agent's deserializer refuses, in its words. */
class BodyRefused extends Error {}

type Parsed<A> = { readonly value: A } | { readonly answer: Answer }

/** Reads a JSON body as the agents' web framework does: anything wrong is answered with bare text. */
export const readJson = async <A>(request: IncomingMessage, parse: (value: unknown) => A): Promise<Parsed<A>> => {
  if (!/^application\/(\S+\+)?json\b/.test(request.headers["content-type"] ?? "")) {
    return { answer: plain(400, "Content type error") }
  }
  const chunks: Array<Buffer> = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > bodyLimit) {
      const text = `JSON payload (${size} bytes) is larger than allowed (limit: ${bodyLimit} bytes).`
      return { answer: plain(413, text, { connection: "close" }) }
    }
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString("utf8")
  try {
    return { value: parse(JSON.parse(text)) }
  } catch (cause) {
    const reason =
      cause instanceof BodyRefused
        ? `${cause.message} at line 1 column ${text.length}`
        : text === ""
          ? "EOF while parsing a value at line 1 column 0"
          : "expected value at line 1 column 1"
    return { answer: plain(400, `Json deserialize error: ${reason}`) }
  }
}

type Fields = Readonly<Record<string, unknown>>

const object = (value: unknown): Fields => {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields
  throw new BodyRefused("invalid type, expected struct")
}

const boolean = (value: unknown): boolean => {
  if (typeof value === "boolean") return value
  throw new BodyRefused(`invalid type: ${JSON.stringify(value)}, expected a boolean`)
}

const unsigned = (value: unknown): number => {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) return value
  throw new BodyRefused(`invalid value: ${JSON.stringify(value)}, expected u64`)
}

const string = (value: unknown): string => {
  if (typeof value === "string") return value
  throw new BodyRefused(`invalid type: ${JSON.stringify(value)}, expected a string`)
}

const array = (value: unknown): ReadonlyArray<unknown> => {
  if (Array.isArray(value)) return value
  throw new BodyRefused(`invalid type: ${JSON.stringify(value)}, expected a sequence`)
}

const optional = <A>(value: unknown, read: (value: unknown) => A, absent: A): A =>
  value === undefined || value === null ? absent : read(value)

/** What an apply asks for. Unknown keys are ignored, so a body of nothing but such keys upgrades everything. */
export interface ApplyBody {
  /** Undefined upgrades everything, an empty list nothing. */
  readonly packages: ReadonlyArray<string> | undefined
  readonly reboot: boolean
  readonly delaySeconds: number
}

export const parseApply = (value: unknown, knowsAllowReboot: boolean): ApplyBody => {
  const body = object(value)
  if (knowsAllowReboot && "reboot" in body && "allow_reboot" in body) {
    throw new BodyRefused("duplicate field `allow_reboot`")
  }
  const flag = knowsAllowReboot && "allow_reboot" in body ? body["allow_reboot"] : body["reboot"]
  return {
    packages: optional<ReadonlyArray<string> | undefined>(
      body["packages"],
      (list) => array(list).map(string),
      undefined
    ),
    reboot: optional(flag, boolean, false),
    delaySeconds: optional(body["reboot_delay_seconds"], unsigned, 0)
  }
}

export interface InstallBody {
  readonly wanted: ReadonlyArray<Wanted>
  readonly noRecommends: boolean
}

export const parseInstall = (value: unknown): InstallBody => {
  const body = object(value)
  if (!("packages" in body)) throw new BodyRefused("missing field `packages`")
  const wanted = array(body["packages"]).map((one) => {
    const fields = object(one)
    if (!("name" in fields)) throw new BodyRefused("missing field `name`")
    return { name: string(fields["name"]), version: optional<string | null>(fields["version"], string, null) }
  })
  const options = optional<Fields | undefined>(body["options"], object, undefined)
  if (options === undefined) return { wanted, noRecommends: false }
  for (const name of ["force", "no_recommends"]) {
    if (!(name in options)) throw new BodyRefused(`missing field \`${name}\``)
    boolean(options[name])
  }
  return { wanted, noRecommends: boolean(options["no_recommends"]) }
}

export interface RebootBody {
  readonly delaySeconds: number
  readonly force: boolean
  readonly acknowledged: boolean
}

export const parseReboot = (value: unknown): RebootBody => {
  const body = object(value)
  return {
    delaySeconds: optional(body["delay_seconds"], unsigned, 0),
    force: optional(body["force"], boolean, false),
    acknowledged: optional(body["acknowledge_package_database_corruption_risk"], boolean, false)
  }
}
