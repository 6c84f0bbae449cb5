import * as Cause from "effect/Cause"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import { inspect } from "node:util"
import type { ConfigValues } from "./Config.ts"

/** The one log schema of every process; annotations other than the named ids go into `details`. */
export interface LogLine {
  readonly time: string
  readonly level: "debug" | "info" | "warn" | "error"
  readonly module: string
  readonly message: string
  readonly request_id?: string
  readonly host_id?: string
  readonly job_id?: string
  readonly details?: Record<string, unknown>
  readonly error?: string
}

const levels: Record<string, LogLine["level"]> = {
  Trace: "debug",
  Debug: "debug",
  Info: "info",
  Warn: "warn",
  Error: "error",
  Fatal: "error"
}

const minimum = { debug: "Debug", info: "Info", warn: "Warn", error: "Error" } as const

const secretName = /password|secret|token|private_key|authorization|cookie/i

const plain = (name: string, value: unknown): unknown => {
  if (secretName.test(name) || Redacted.isRedacted(value)) return "<redacted>"
  if (value === null || ["string", "number", "boolean"].includes(typeof value)) return value
  if (value instanceof Date) return value.toISOString()
  return inspect(value, { depth: 4, breakLength: Infinity, maxStringLength: 2_000, maxArrayLength: 50 })
}

const textOf = (message: unknown): string =>
  (Array.isArray(message) ? message : [message])
    .filter((part) => !(part instanceof Error))
    .map((part) => (typeof part === "string" ? part : String(plain("", part))))
    .join(" ")

const errorsIn = (message: unknown): ReadonlyArray<Error> =>
  (Array.isArray(message) ? message : [message]).filter((part) => part instanceof Error)

const named = new Set(["module", "request_id", "host_id", "job_id"])

const errorOf = (message: unknown, cause: Cause.Cause<unknown>): string | undefined => {
  const texts = errorsIn(message).map((error) => Cause.pretty(Cause.die(error)))
  if (cause.reasons.length > 0) texts.push(Cause.pretty(cause))
  return texts.length === 0 ? undefined : texts.join("\n")
}

const lineOf = (processName: string, options: Logger.Options<unknown>): LogLine => {
  const annotations = options.fiber.getRef(References.CurrentLogAnnotations)
  const id = (name: string): Record<string, string> =>
    annotations[name] === undefined ? {} : { [name]: String(annotations[name]) }
  const details = Object.entries(annotations).filter(([name]) => !named.has(name))
  const error = errorOf(options.message, options.cause)
  const message = textOf(options.message)
  return {
    time: options.date.toISOString(),
    level: levels[options.logLevel] ?? "info",
    module: String(annotations["module"] ?? processName),
    message: message === "" ? (errorsIn(options.message)[0]?.message ?? "") : message,
    ...id("request_id"),
    ...id("host_id"),
    ...id("job_id"),
    ...(details.length === 0
      ? {}
      : { details: Object.fromEntries(details.map(([name, value]) => [name, plain(name, value)])) }),
    ...(error === undefined ? {} : { error })
  }
}

/** Characters that move a terminal's cursor, end a line, or turn the reading direction. */
// oxlint-disable-next-line no-control-regex
const unprintable = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

/** What people and agents sent cannot pretend to be a line of the log, or hide one; as JSON it still reads as it was. */
const encoded = (text: string): string =>
  text.replaceAll(unprintable, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)

const colour = { debug: "\u001b[2m", info: "", warn: "\u001b[33m", error: "\u001b[31m" } as const

const readable = (line: LogLine): string => {
  const ids = [line.request_id, line.host_id, line.job_id].filter((id) => id !== undefined)
  const details = Object.entries(line.details ?? {}).map(([name, value]) => `${name}=${String(value)}`)
  const tail = [...ids, ...details].join(" ")
  const head = `${line.time.slice(11, 23)} ${line.level.padEnd(5)} ${line.module}: ${line.message}`
  const shown = encoded((tail === "" ? head : `${head} (${tail})`).replaceAll("\n", "\\n"))
  const whole = line.error === undefined ? shown : `${shown}\n${encoded(line.error).replaceAll(/^/gm, "    ")}`
  return colour[line.level] === "" ? whole : `${colour[line.level]}${whole}\u001b[0m`
}

/** The logger of the process named `processName`, writing each line with `write`. */
export const makeLogger = (
  processName: string,
  format: "json" | "text",
  write: (line: string) => void
): Logger.Logger<unknown, void> =>
  Logger.make((options) => {
    const line = lineOf(processName, options)
    write(format === "json" ? encoded(JSON.stringify(line)) : readable(line))
  })

const toStandardOutput = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const formatOf = (log: ConfigValues["log"]): "json" | "text" =>
  log.format === "text" || (log.format === "auto" && process.stdout.isTTY) ? "text" : "json"

/** Logs to standard output: one JSON line each, or readable text where that is a terminal. */
export const logLayer = (processName: string, log: ConfigValues["log"]): Layer.Layer<never> =>
  Layer.mergeAll(
    Logger.layer([makeLogger(processName, formatOf(log), toStandardOutput)]),
    Layer.succeed(References.MinimumLogLevel, minimum[log.level])
  )

/** The same lines from code that runs outside of Effect. */
export type WriteLog = (level: LogLine["level"], message: string, details?: Record<string, unknown>) => void

/** A writer for the process named `module`. */
export const logWriter = (module: string, log: ConfigValues["log"]): WriteLog => {
  const format = formatOf(log)
  const order = ["debug", "info", "warn", "error"]
  return (level, message, details) => {
    if (order.indexOf(level) < order.indexOf(log.level)) return
    const shown = Object.entries(details ?? {}).map(([name, value]) => [name, plain(name, value)])
    const line: LogLine = {
      time: new Date().toISOString(),
      level,
      module,
      message,
      ...(shown.length === 0 ? {} : { details: Object.fromEntries(shown) })
    }
    toStandardOutput(format === "json" ? encoded(JSON.stringify(line)) : readable(line))
  }
}
