import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { isAbsolute, join, resolve } from "node:path"
import { projectRoot } from "./projectRoot.ts"
import { databaseUrlOf } from "./secretSetting.ts"

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
  Schema.makeFilter((text) => /^(postgres(ql)?:\/\/|file:)/.test(text) || "must begin with postgresql:// or file:")
)

/** Every setting by its name on the outside, read from text. */
const Settings = Schema.Struct({
  data_dir: Schema.NonEmptyString,
  "database.url": Schema.optionalKey(DatabaseUrl),
  "database.owner_url": Schema.optionalKey(DatabaseUrl),
  "database.web_url": Schema.optionalKey(DatabaseUrl),
  "database.worker_url": Schema.optionalKey(DatabaseUrl),
  "database.single_role": Schema.Literals(["true", "false"]),
  "web.port": Port,
  "web.bind": Schema.NonEmptyString,
  "web.public_url": Schema.optionalKey(PublicUrl),
  "web.console_dir": Schema.NonEmptyString,
  "web.rate_factor": whole(1, 1000),
  "agent.port": Port,
  "agent.concurrency": whole(1, 4096),
  "poll.health_seconds": whole(1, 86_400),
  "poll.patches_seconds": whole(1, 604_800),
  "audit.checkpoint_file": Schema.optionalKey(Schema.NonEmptyString),
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
  /** Addresses of a role each, where there are three; see prepareRoles. */
  readonly database: {
    readonly ownerUrl?: Redacted.Redacted
    readonly webUrl?: Redacted.Redacted
    readonly workerUrl?: Redacted.Redacted
    /** One role for everything: nothing but the program's own care keeps a process from the audit log. */
    readonly singleRole: boolean
  }
  readonly web: {
    readonly port: number
    readonly bind: string
    readonly publicUrl: string
    readonly consoleDir: string
    /** How many times the rate limits of docs/limits.md. */
    readonly rateFactor: number
  }
  readonly agent: { readonly port: number; readonly concurrency: number }
  readonly poll: { readonly healthSeconds: number; readonly patchesSeconds: number }
  /** Where the checkpoints of the audit log are kept outside of the database; in the data directory unless said. */
  readonly audit: { readonly checkpointFile?: string }
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

type WithoutDefault = DatabaseSetting | "web.public_url" | "audit.checkpoint_file"

const defaults = (): Required<Omit<SettingTexts, WithoutDefault>> => ({
  data_dir: join(projectRoot, ".data"),
  "database.single_role": "false",
  "web.port": "8443",
  "web.bind": "127.0.0.1",
  "web.console_dir": join(projectRoot, ".build", "console"),
  "web.rate_factor": "1",
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

/** The settings that hold a secret. */
const databaseSettings = ["database.url", "database.owner_url", "database.web_url", "database.worker_url"] as const
type DatabaseSetting = (typeof databaseSettings)[number]

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
  const secret = <Key extends string>(key: Key, name: DatabaseSetting): { readonly [K in Key]?: Redacted.Redacted } => {
    const text = value[name]
    if (text === undefined) return {}
    return { [key]: Redacted.make(databaseUrlOf(name, text)) } as { readonly [K in Key]?: Redacted.Redacted }
  }
  return {
    dataDir: absolute(value.data_dir, from),
    ...secret("databaseUrl", "database.url"),
    database: {
      ...secret("ownerUrl", "database.owner_url"),
      ...secret("webUrl", "database.web_url"),
      ...secret("workerUrl", "database.worker_url"),
      singleRole: value["database.single_role"] === "true"
    },
    web: {
      port: value["web.port"],
      bind: value["web.bind"],
      publicUrl: new URL(value["web.public_url"] ?? `https://localhost:${value["web.port"]}`).origin,
      consoleDir: absolute(value["web.console_dir"], from),
      rateFactor: value["web.rate_factor"]
    },
    agent: { port: value["agent.port"], concurrency: value["agent.concurrency"] },
    poll: { healthSeconds: value["poll.health_seconds"], patchesSeconds: value["poll.patches_seconds"] },
    audit:
      value["audit.checkpoint_file"] === undefined
        ? {}
        : { checkpointFile: absolute(value["audit.checkpoint_file"], from) },
    log: { level: value["log.level"], format: value["log.format"] },
    fleet: { hosts: value["fleet.hosts"] }
  }
}

const texts = (config: ConfigValues): SettingTexts => ({
  data_dir: config.dataDir,
  ...(config.databaseUrl === undefined ? {} : { "database.url": Redacted.value(config.databaseUrl) }),
  ...(config.database.ownerUrl === undefined ? {} : { "database.owner_url": Redacted.value(config.database.ownerUrl) }),
  ...(config.database.webUrl === undefined ? {} : { "database.web_url": Redacted.value(config.database.webUrl) }),
  ...(config.database.workerUrl === undefined
    ? {}
    : { "database.worker_url": Redacted.value(config.database.workerUrl) }),
  "database.single_role": String(config.database.singleRole),
  "web.port": String(config.web.port),
  "web.bind": config.web.bind,
  "web.public_url": config.web.publicUrl,
  "web.console_dir": config.web.consoleDir,
  "web.rate_factor": String(config.web.rateFactor),
  "agent.port": String(config.agent.port),
  "agent.concurrency": String(config.agent.concurrency),
  "poll.health_seconds": String(config.poll.healthSeconds),
  "poll.patches_seconds": String(config.poll.patchesSeconds),
  ...(config.audit.checkpointFile === undefined ? {} : { "audit.checkpoint_file": config.audit.checkpointFile }),
  "log.level": config.log.level,
  "log.format": config.log.format,
  "fleet.hosts": String(config.fleet.hosts)
})

/** The environment that makes a child process load the same configuration; an address with a password is not taken from there. */
export const configEnvironment = (config: ConfigValues): Record<string, string> =>
  Object.fromEntries(Object.entries(texts(config)).map(([name, text]) => [variableOf(name as SettingName), text]))

/** Every setting as a line for a log or a support file; secrets are blanked. */
export const describeConfig = (config: ConfigValues): Record<string, string> => {
  const shown = texts(config)
  const hidden = databaseSettings.filter((name) => shown[name] !== undefined).map((name) => [name, "<redacted>"])
  return { ...shown, ...Object.fromEntries(hidden) }
}

/** The configuration of this process. */
export class Config extends Context.Service<Config, ConfigValues>()("patch-manager/deploy/Config") {
  static readonly layer = (config: ConfigValues): Layer.Layer<Config> => Layer.succeed(Config, config)
}
