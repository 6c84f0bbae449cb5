import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { isAbsolute, join, resolve } from "node:path"
import { projectRoot } from "./projectRoot.ts"

/** A setting cannot be used; `message` names it, says what it may be, and where it came from. */
export class ConfigError extends Data.TaggedError("ConfigError")<{ readonly message: string }> {}

const Port = Schema.FiniteFromString.check(
  Schema.makeFilter(
    (port) => (Number.isInteger(port) && port >= 1 && port <= 65535) || "must be a port from 1 to 65535"
  )
)
const whole = (least: number, most: number) =>
  Schema.FiniteFromString.check(
    Schema.makeFilter(
      (value) =>
        (Number.isInteger(value) && value >= least && value <= most) ||
        `must be a whole number from ${least} to ${most}`
    )
  )
const PublicUrl = Schema.String.check(
  Schema.makeFilter(
    (text) =>
      (URL.canParse(text) && new URL(text).protocol === "https:" && new URL(text).pathname === "/") ||
      "must be an https:// address without a path, such as https://patches.example.org"
  )
)
const DatabaseUrl = Schema.String.check(
  Schema.makeFilter((text) => /^postgres(ql)?:\/\//.test(text) || "must begin with postgresql://")
)

/** Every setting by its name on the outside, read from text. */
const Settings = Schema.Struct({
  data_dir: Schema.NonEmptyString,
  "database.url": Schema.optionalKey(DatabaseUrl),
  "web.port": Port,
  "web.bind": Schema.NonEmptyString,
  "web.public_url": Schema.optionalKey(PublicUrl),
  "web.console_dir": Schema.NonEmptyString,
  "agent.port": Port,
  "agent.concurrency": whole(1, 4096),
  "poll.health_seconds": whole(1, 86_400),
  "poll.patches_seconds": whole(1, 604_800),
  "log.level": Schema.Literals(["debug", "info", "warn", "error"]),
  "log.format": Schema.Literals(["auto", "json", "text"]),
  "fleet.hosts": whole(0, 20_000)
})

/** The name of a setting, such as "web.port". */
export type SettingName = keyof typeof Settings.fields

/** Settings as text, before they are checked. */
export type SettingTexts = Partial<Record<SettingName, string>>

const names = Object.keys(Settings.fields) as ReadonlyArray<SettingName>

/** `web.public_url` is `PATCH_MANAGER__WEB__PUBLIC_URL` in the environment. */
export const variableOf = (name: SettingName): string => `PATCH_MANAGER__${name.replaceAll(".", "__").toUpperCase()}`

const byVariable = new Map(names.map((name) => [variableOf(name), name]))

/** What the processes run with. `databaseUrl` is absent where this product brings its own PostgreSQL. */
export interface ConfigValues {
  readonly dataDir: string
  readonly databaseUrl?: Redacted.Redacted
  readonly web: {
    readonly port: number
    readonly bind: string
    readonly publicUrl: string
    readonly consoleDir: string
  }
  readonly agent: { readonly port: number; readonly concurrency: number }
  readonly poll: { readonly healthSeconds: number; readonly patchesSeconds: number }
  readonly log: { readonly level: "debug" | "info" | "warn" | "error"; readonly format: "auto" | "json" | "text" }
  readonly fleet: { readonly hosts: number }
}

const fromEnvironment = (environment: NodeJS.ProcessEnv): SettingTexts => {
  const found: SettingTexts = {}
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith("PATCH_MANAGER__") || text === undefined) continue
    const name = byVariable.get(variable)
    if (name === undefined) {
      throw new ConfigError({
        message: `The environment variable ${variable} is no setting: the settings are ${names.map(variableOf).join(", ")}.`
      })
    }
    found[name] = text
  }
  return found
}

const defaults = (): Required<Omit<SettingTexts, "database.url" | "web.public_url">> => ({
  data_dir: join(projectRoot, ".data"),
  "web.port": "8443",
  "web.bind": "127.0.0.1",
  "web.console_dir": join(projectRoot, ".build", "console"),
  "agent.port": "12443",
  "agent.concurrency": "64",
  "poll.health_seconds": "300",
  "poll.patches_seconds": "1800",
  "log.level": "info",
  "log.format": "auto",
  "fleet.hosts": "25"
})

const decode = Schema.decodeUnknownResult(Settings, { errors: "all" })
const formatIssues = SchemaIssue.makeFormatterStandardSchemaV1()

const explain = (issue: SchemaIssue.Issue, environment: NodeJS.ProcessEnv): string =>
  formatIssues(issue)
    .issues.map(({ message, path }) => {
      const name = String(path?.[0] ?? "") as SettingName
      const variable = variableOf(name)
      return `The setting ${name}${environment[variable] === undefined ? "" : ` (from ${variable})`}: ${message}.`
    })
    .join(" ")

const absolute = (path: string, from: string): string => (isAbsolute(path) ? path : resolve(from, path))

/**
 * Reads the settings: what was `given` on the command line, else the environment, else the default. Relative folders
 * count from `from`, the caller's directory. Throws `ConfigError`.
 */
export const loadConfig = (
  given: SettingTexts = {},
  environment: NodeJS.ProcessEnv = process.env,
  from: string = environment["INIT_CWD"] ?? process.cwd()
): ConfigValues => {
  const stated = { ...fromEnvironment(environment), ...given }
  const decoded = decode({ ...defaults(), ...stated })
  if (Result.isFailure(decoded)) throw new ConfigError({ message: explain(decoded.failure.issue, environment) })
  const value = decoded.success
  const url = value["database.url"]
  return {
    dataDir: absolute(value.data_dir, from),
    ...(url === undefined ? {} : { databaseUrl: Redacted.make(url) }),
    web: {
      port: value["web.port"],
      bind: value["web.bind"],
      publicUrl: new URL(value["web.public_url"] ?? `https://localhost:${value["web.port"]}`).origin,
      consoleDir: absolute(value["web.console_dir"], from)
    },
    agent: { port: value["agent.port"], concurrency: value["agent.concurrency"] },
    poll: { healthSeconds: value["poll.health_seconds"], patchesSeconds: value["poll.patches_seconds"] },
    log: { level: value["log.level"], format: value["log.format"] },
    fleet: { hosts: value["fleet.hosts"] }
  }
}

const texts = (config: ConfigValues): SettingTexts => ({
  data_dir: config.dataDir,
  ...(config.databaseUrl === undefined ? {} : { "database.url": Redacted.value(config.databaseUrl) }),
  "web.port": String(config.web.port),
  "web.bind": config.web.bind,
  "web.public_url": config.web.publicUrl,
  "web.console_dir": config.web.consoleDir,
  "agent.port": String(config.agent.port),
  "agent.concurrency": String(config.agent.concurrency),
  "poll.health_seconds": String(config.poll.healthSeconds),
  "poll.patches_seconds": String(config.poll.patchesSeconds),
  "log.level": config.log.level,
  "log.format": config.log.format,
  "fleet.hosts": String(config.fleet.hosts)
})

/** The environment that makes a child process load the same configuration; it holds the database URL in the clear. */
export const configEnvironment = (config: ConfigValues): Record<string, string> =>
  Object.fromEntries(Object.entries(texts(config)).map(([name, text]) => [variableOf(name as SettingName), text]))

/** Every setting as a line for a log or a support file; secrets are blanked. */
export const describeConfig = (config: ConfigValues): Record<string, string> => {
  const shown = texts(config)
  return shown["database.url"] === undefined ? shown : { ...shown, "database.url": "<redacted>" }
}

/** The configuration of this process. */
export class Config extends Context.Service<Config, ConfigValues>()("patch-manager/deploy/Config") {
  static readonly layer = (config: ConfigValues): Layer.Layer<Config> => Layer.succeed(Config, config)
}
