import { spawn } from "node:child_process"
import { closeSync, existsSync, openSync, readFileSync, realpathSync, rmSync } from "node:fs"
import { join } from "node:path"
import { socketDatabaseUrl } from "../DatabaseUrl.ts"
import { type Binaries, reachableBinaries } from "./binaries.ts"
import {
  checkVersion,
  configureCluster,
  createCluster,
  databaseName,
  type Durability,
  environment,
  makeClusterFolder,
  roleName
} from "./cluster.ts"
import { type DatabaseAccount, databaseAccount } from "./databaseAccount.ts"
import { locked } from "./lock.ts"
import { ping } from "./ping.ts"
import { PostgresError } from "./PostgresError.ts"
import { isRunning, processesIn, until } from "./processes.ts"
import { socketDirectory } from "./socketDirectory.ts"

/** A server that serves. `adopted` says that it already ran, `notes` are lines for the operator. */
export interface RunningPostgres {
  readonly url: string
  readonly pid: number
  readonly adopted: boolean
  readonly account: DatabaseAccount
  readonly notes: ReadonlyArray<string>
  readonly stop: () => Promise<void>
}

/** `folder` is the cluster's own; `mayCreateAccount` allows root to make the system account. */
export interface PostgresOptions {
  readonly folder: string
  readonly durability: Durability
  readonly mayCreateAccount: boolean
  /** A program and its arguments put before the server's, such as one that ends it together with us. */
  readonly wrapper?: ReadonlyArray<string>
}

const recoveryDeadlineMs = 120_000
const retryDeadlineMs = 12_000

const pidIn = (data: string): number | undefined => {
  try {
    const pid = Number(readFileSync(join(data, "postmaster.pid"), "utf8").split("\n")[0])
    return Number.isInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}

const lastWords = (log: string): string => {
  try {
    const lines = readFileSync(log, "utf8").slice(-4_000).trim().split("\n")
    return lines.findLast((line) => /FATAL|PANIC|error/i.test(line)) ?? lines.at(-1) ?? "no output"
  } catch {
    return "no output"
  }
}

/** Starts the server and waits for its first answer; `undefined` when it ended before it served. */
const attempt = async (
  options: PostgresOptions,
  account: DatabaseAccount,
  binaries: Binaries,
  sockets: string
): Promise<number | undefined> => {
  const data = join(options.folder, "data")
  const log = openSync(join(options.folder, "start.log"), "w", 0o600)
  const [program, ...args] = [...(options.wrapper ?? []), binaries.postgres, "-D", data]
  const child = spawn(program ?? binaries.postgres, args, {
    ...account.ids,
    cwd: "/",
    env: environment,
    detached: true,
    stdio: ["ignore", log, log]
  })
  closeSync(log)
  child.unref()
  let ended = false
  child.on("exit", () => (ended = true))
  child.on("error", () => (ended = true))
  const served = await until(async () => {
    if (ended) return true
    return (await ping(sockets, roleName, databaseName)).type === "ready"
  }, recoveryDeadlineMs)
  if (served && !ended) return child.pid
  if (!ended) child.kill("SIGINT")
  return undefined
}

/** A pid file left by a crash names a process that has nothing to do with us: PostgreSQL would refuse for ever. */
const removeStalePidFile = (data: string): void => {
  if (pidIn(data) !== undefined && processesIn(data).length === 0) rmSync(join(data, "postmaster.pid"), { force: true })
}

const start = async (
  options: PostgresOptions,
  account: DatabaseAccount,
  binaries: Binaries,
  sockets: string
): Promise<number> => {
  const data = join(options.folder, "data")
  const end = performance.now() + retryDeadlineMs
  do {
    await until(() => processesIn(data).length === 0, 3_000, 50)
    removeStalePidFile(data)
    const pid = await attempt(options, account, binaries, sockets)
    if (pid !== undefined) return pid
  } while (performance.now() < end)
  const log = join(options.folder, "start.log")
  throw new PostgresError({
    message: `PostgreSQL did not start: ${lastWords(log)} (see ${log} and ${join(options.folder, "log")}).`
  })
}

const running = async (data: string, sockets: string): Promise<number | undefined> => {
  if (!existsSync(data)) return undefined
  for (;;) {
    const answer = await ping(sockets, roleName, databaseName)
    if (answer.type === "ready") return pidIn(data)
    if (answer.type === "refused") {
      throw new PostgresError({ message: `A PostgreSQL runs on ${data} but does not let us in: ${answer.reason}.` })
    }
    // One that is on its way up is waited for; one that goes down turns silent.
    if (answer.type === "silent") return undefined
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Ends the server by PostgreSQL's fast shutdown: sessions are cut, everything committed is on disk. */
const stop = async (data: string, pid: number): Promise<void> => {
  if (!isRunning(pid) || (pidIn(data) !== pid && existsSync(data))) return
  process.kill(pid, "SIGINT")
  if (await until(() => !isRunning(pid), 30_000)) return
  throw new PostgresError({ message: `PostgreSQL (process ${pid}) did not stop within 30 s; see its log.` })
}

/** Makes the cluster if needed, starts its server or adopts the one that runs, and answers when it serves. */
export const startPostgres = async (options: PostgresOptions): Promise<RunningPostgres> => {
  const data = join(options.folder, "data")
  const account = databaseAccount(data, options.mayCreateAccount)
  makeClusterFolder(options.folder, account)
  const folder = realpathSync(options.folder)
  return locked("postgres", folder, async () => {
    const sockets = socketDirectory(folder, account)
    const found = await running(data, sockets)
    let pid = found
    if (pid === undefined) {
      const binaries = reachableBinaries(account)
      await createCluster(folder, account, binaries, options.durability)
      checkVersion(data)
      configureCluster(folder, account, sockets, options.durability)
      pid = await start({ ...options, folder }, account, binaries, sockets)
    }
    const serving = pid
    return {
      url: socketDatabaseUrl(sockets, databaseName, roleName),
      pid: serving,
      adopted: found !== undefined,
      account,
      notes: account.note === undefined ? [] : [account.note],
      stop: () => stop(data, serving)
    }
  })
}
