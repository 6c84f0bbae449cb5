import { type ChildProcess, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { createInterface } from "node:readline"
import type { WriteLog } from "../Log.ts"
import { ChildStopped, StartError } from "./StartError.ts"

/** A process of ours: `readyBy` tells how it says that it works, `stopMs` how long it may take to stop. */
export interface ChildOptions {
  readonly name: string
  readonly file: string
  readonly args: ReadonlyArray<string>
  readonly environment: Record<string, string>
  readonly readyBy: "message" | "line"
  readonly readyMs: number
  readonly stopMs: number
  readonly log: WriteLog
  /** Gives up waiting for the first readiness. */
  readonly signal?: AbortSignal
  readonly firstBackOffMs?: number
}

/** A supervised process: restarted when it ends by itself, until `stop`. */
export interface Child {
  readonly pid: () => number | undefined
  readonly stop: () => Promise<void>
  readonly kill: () => void
}

const longestBackOffMs = 30_000
const steadyMs = 60_000

/** Ends a child with us even when its event loop hangs; only where util-linux is there. */
const setpriv = ["/usr/bin/setpriv", "/bin/setpriv"].find((path) => existsSync(path))

const launch = (options: ChildOptions): ChildProcess => {
  const command = [process.execPath, options.file, ...options.args]
  const [program = process.execPath, ...args] =
    setpriv === undefined ? command : [setpriv, "--pdeathsig", "KILL", "--", ...command]
  // A session of its own, so that Ctrl-C in the terminal reaches only us and we stop the processes in order.
  return spawn(program, args, {
    cwd: "/",
    detached: true,
    env: { ...process.env, ...options.environment },
    stdio: ["ignore", options.readyBy === "line" ? "pipe" : "inherit", "inherit", "ipc"]
  })
}

const waitUntilReady = (child: ChildProcess, options: ChildOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    const give = (error: Error): void => {
      clearTimeout(timer)
      reject(error)
    }
    const fail = (what: string): void =>
      give(new StartError({ message: `The ${options.name} process ${what}; its own words are above.` }))
    const giveUp = (): void => give(new ChildStopped({ message: `The ${options.name} process was stopped.` }))
    const timer = setTimeout(() => fail(`was not ready after ${options.readyMs / 1000} s`), options.readyMs)
    const ready = (): void => {
      clearTimeout(timer)
      resolve()
    }
    child.on("message", (message: { readonly type?: unknown }) => {
      if (message.type === "ready") ready()
    })
    if (child.stdout !== null)
      createInterface({ input: child.stdout })
        .once("line", ready)
        .on("line", () => undefined)
    options.signal?.addEventListener("abort", giveUp, { once: true })
    child.once("error", (error) => fail(`could not be started: ${error.message}`))
    child.once("exit", (code, signal) => fail(`ended (${signal ?? `exit code ${code}`}) before it was ready`))
  })

const ended = (child: ChildProcess): Promise<void> =>
  child.exitCode !== null || child.signalCode !== null || child.pid === undefined
    ? Promise.resolve()
    : new Promise((resolve) => child.once("exit", () => resolve()))

/** Ends a process at once, together with whatever it started itself. */
const killGroup = (child: ChildProcess): void => {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  try {
    process.kill(-child.pid, "SIGKILL")
  } catch {
    child.kill("SIGKILL")
  }
}

/** Starts the process and answers once it works; fails when its first start fails. */
export const superviseChild = async (options: ChildOptions): Promise<Child> => {
  let stopping = false
  let current = launch(options)
  let startedAt = performance.now()
  let failures = 0
  let restart: NodeJS.Timeout | undefined

  const restartLater = (reason: string): void => {
    if (performance.now() - startedAt > steadyMs) failures = 0
    const delay = Math.min((options.firstBackOffMs ?? 1_000) * 2 ** failures, longestBackOffMs)
    failures += 1
    options.log("error", `The ${options.name} process ended (${reason}); starting it again in ${delay / 1000} s.`)
    restart = setTimeout(() => {
      startedAt = performance.now()
      current = launch(options)
      watch(current)
      waitUntilReady(current, options).then(
        () => options.log("info", `The ${options.name} process works again.`),
        (error: unknown) => {
          options.log("error", error instanceof Error ? error.message : String(error))
          killGroup(current)
        }
      )
    }, delay)
  }
  const watch = (child: ChildProcess): void => {
    let over = false
    const end = (reason: string): void => {
      if (over || stopping) return
      over = true
      restartLater(reason)
    }
    child.once("exit", (code, signal) => end(signal ?? `exit code ${code}`))
    child.once("error", (error) => end(error.message))
    if (child.exitCode !== null || child.signalCode !== null) end(child.signalCode ?? `exit code ${child.exitCode}`)
  }

  try {
    await waitUntilReady(current, options)
  } catch (error) {
    stopping = true
    killGroup(current)
    await ended(current)
    throw error
  }
  watch(current)
  return {
    pid: () => current.pid,
    kill: () => killGroup(current),
    stop: async () => {
      stopping = true
      clearTimeout(restart)
      const timer = setTimeout(() => {
        options.log(
          "warn",
          `The ${options.name} process did not stop within ${options.stopMs / 1000} s and was killed.`
        )
        killGroup(current)
      }, options.stopMs)
      current.kill("SIGTERM")
      await ended(current)
      clearTimeout(timer)
    }
  }
}
