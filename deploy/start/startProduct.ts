import { X509Certificate } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import * as Redacted from "effect/Redacted"
import { type ConfigValues, configEnvironment, variableOf } from "../Config.ts"
import { holdsPassword } from "../secretSetting.ts"
import type { ProcessRoles } from "#sql/roles.ts"
import { dataFiles } from "../DataDirectory.ts"
import { firstRun } from "../firstRun.ts"
import type { WriteLog } from "../Log.ts"
import { processRoles } from "../postgres/cluster.ts"
import { prepareOwnServer, prepareRoles } from "../prepareRoles.ts"
import { entryOf, fleetEntry } from "../projectRoot.ts"
import { registerFleet } from "../registerFleet.ts"
import { createAccessToken } from "../createAccessToken.ts"
import { keepDatabase } from "./keepDatabase.ts"
import { ownDataDirectory } from "./ownDataDirectory.ts"
import { refuseTakenPort } from "./refuseTakenPort.ts"
import { startDatabase } from "./startDatabase.ts"
import type { StopSwitch } from "./StopSwitch.ts"
import { ChildStopped } from "./StartError.ts"
import { type Child, superviseChild } from "./superviseChild.ts"

/** What a start needs from outside, and where it leaves how to undo each of its steps. */
export interface Starting {
  readonly config: ConfigValues
  readonly log: WriteLog
  readonly print: (line: string) => void
  readonly stop: StopSwitch
  /** Undone in the reverse order. */
  readonly undo: Array<() => void | Promise<void>>
  readonly children: Array<Child>
}

const hasDatabase = ({ databaseUrl, database }: ConfigValues): boolean =>
  [databaseUrl, database.ownerUrl, database.webUrl, database.workerUrl].some((url) => url !== undefined)

/** The processes' addresses, once the database is there and up to date. The owner's goes no further than this. */
const database = async ({ config, log, print, stop, undo }: Starting): Promise<ProcessRoles> => {
  if (hasDatabase(config) || config.database.singleRole) return prepareRoles(config)
  const server = await startDatabase(config.dataDir)
  const kept = keepDatabase(server, () => startDatabase(config.dataDir), log)
  undo.push(kept.stop)
  for (const note of server.notes) print(note)
  stop.check()
  return prepareOwnServer(server.url, processRoles)
}

/** What a process may know of the database: its own address. */
const withoutDatabase = (
  config: ConfigValues,
  own: Pick<ConfigValues["database"], "webUrl" | "workerUrl">
): ConfigValues => {
  const { databaseUrl: _databaseUrl, ...rest } = config
  return { ...rest, database: { ...own, singleRole: config.database.singleRole } }
}

/** A child's environment; an address with a password reaches it through a file. */
const environmentOf = (
  config: ConfigValues,
  setting: "database.web_url" | "database.worker_url",
  url: Redacted.Redacted,
  file: string
): Record<string, string> => {
  const environment = configEnvironment(config)
  if (!holdsPassword(Redacted.value(url))) return environment
  writeFileSync(file, `${Redacted.value(url)}\n`, { mode: 0o600 })
  return { ...environment, [variableOf(setting)]: `file:${file}` }
}

const child = async (
  starting: Starting,
  name: "web" | "worker" | "fleet",
  environment: Record<string, string>,
  args: ReadonlyArray<string>,
  failed: AbortController
): Promise<void> => {
  const started = await superviseChild({
    name,
    file: name === "fleet" ? fleetEntry : entryOf(name),
    args,
    environment,
    readyBy: name === "fleet" ? "line" : "message",
    readyMs: 60_000,
    stopMs: 20_000,
    log: starting.log,
    signal: AbortSignal.any([starting.stop.signal, failed.signal])
  }).catch((error: unknown) => {
    failed.abort()
    throw error
  })
  starting.children.push(started)
}

/** How often a new update appears on one of the stand-in hosts. */
const publishEverySeconds = 90

/** Web and worker stop together and first; the fleet outlives them, so that no call of theirs is cut by us. */
const children = async (
  starting: Starting,
  config: ConfigValues,
  urls: { readonly web: Redacted.Redacted; readonly worker: Redacted.Redacted }
): Promise<void> => {
  const files = dataFiles(config.dataDir)
  const ofWeb = environmentOf(config, "database.web_url", urls.web, files.databaseUrl)
  const workerConfig = withoutDatabase(config, { workerUrl: urls.worker })
  const ofWorker = environmentOf(workerConfig, "database.worker_url", urls.worker, files.workerDatabaseUrl)
  const fleet: Array<Child> = []
  const fleetStarting = { ...starting, children: fleet }
  starting.undo.push(async () => void (await Promise.all(fleet.map((one) => one.stop()))))
  starting.undo.push(async () => void (await Promise.all(starting.children.map((one) => one.stop()))))
  const fleetArguments = Object.entries({
    fleet: config.fleet.hosts,
    dir: files.fleet,
    port: config.agent.port,
    control: files.fleetControl,
    "publish-every": publishEverySeconds
  }).flatMap(([name, value]) => [`--${name}`, String(value)])
  const failed = new AbortController()
  // One that fails stops the others, and all are waited for, so that none is left behind half started.
  const results = await Promise.allSettled([
    child(starting, "web", ofWeb, [], failed),
    child(starting, "worker", ofWorker, [], failed),
    ...(config.fleet.hosts > 0 ? [child(fleetStarting, "fleet", {}, fleetArguments, failed)] : [])
  ])
  starting.stop.check()
  const reasons = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []))
  if (reasons.length > 0) throw reasons.find((reason) => !(reason instanceof ChildStopped)) ?? reasons[0]
}

const register = async ({ config, log, print }: Starting, running: ConfigValues): Promise<void> => {
  if (config.fleet.hosts === 0) return
  try {
    const registered = await registerFleet(running, () => createAccessToken(running))
    if (registered > 0) print(`Registered ${registered} stand-in hosts on loopback (--fleet 0 starts without them).`)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    log("error", `The stand-in fleet could not be registered: ${reason}. The next start tries again.`)
  }
}

/** Said at once and not at the end: should this start still fail, nobody has to search for the password. */
const tellPassword = ({ config, print }: Starting, adminPassword: string | undefined): void => {
  if (adminPassword === undefined) return
  const { initialAdminPassword } = dataFiles(config.dataDir)
  print(`First administrator: admin, password ${adminPassword} (also in ${initialAdminPassword}).`)
}

const welcome = ({ config, print }: Starting): void => {
  const files = dataFiles(config.dataDir)
  const certificate = new X509Certificate(readFileSync(files.caCertificate))
  print(`CA certificate: ${files.caCertificate}`)
  print(`       SHA-256: ${certificate.fingerprint256}`)
  print("The browser warns once about the certificate, until that CA is imported.")
  print(`Linux Patch Manager is running: ${config.web.publicUrl}`)
}

/** For `patch-manager` commands, which find the database by --data-dir alone. */
const noteDatabase = (config: ConfigValues): void => {
  const file = dataFiles(config.dataDir).databaseUrl
  const { webUrl } = config.database
  if (webUrl !== undefined) writeFileSync(file, `${Redacted.value(webUrl)}\n`, { mode: 0o600 })
}

/** Brings up the whole product; throws at the first step that fails, `undo` then holds what to take back. */
export const startProduct = async (starting: Starting): Promise<void> => {
  const { config, stop, undo } = starting
  undo.push(await ownDataDirectory(config.dataDir, config.web.publicUrl))
  await Promise.all([
    refuseTakenPort(config.web.bind, config.web.port, "port"),
    ...(config.fleet.hosts > 0 ? [refuseTakenPort("0.0.0.0", config.agent.port, "agent-port")] : [])
  ])
  stop.check()
  const { web, worker } = await database(starting)
  const running = withoutDatabase(config, { webUrl: Redacted.make(web) })
  stop.check()
  const { adminPassword } = await firstRun(running)
  tellPassword(starting, adminPassword)
  noteDatabase(running)
  stop.check()
  await children(starting, running, { web: Redacted.make(web), worker: Redacted.make(worker) })
  await register(starting, running)
  stop.check()
  welcome(starting)
}
