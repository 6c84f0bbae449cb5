import { type ChildProcess, fork } from "node:child_process"
import { join } from "node:path"
import { createInterface } from "node:readline"
import type { FailpointName } from "#actors/hosts/Failpoint.ts"
import type { LogLine } from "#deploy/Log.ts"
import type { Breakage } from "./failpoints.ts"
import type { WorkerProcessOptions } from "./workerProcess.ts"
import { quickClient, quickSettings, quickTuning, type World } from "./World.ts"

export interface WorkerProcess {
  readonly child: ChildProcess
  /** Resolves when it has loaded its hosts; fails where it ended before. */
  readonly ready: Promise<void>
  /** Resolves with the signal or the code when the process is gone. */
  readonly gone: Promise<string>
  /** Everything it has logged so far. */
  readonly log: ReadonlyArray<LogLine>
  /** What it wrote besides its log, such as Node's last words. */
  readonly said: () => string
  readonly kill: () => Promise<string>
}

/** `failpoint` by name alone means SIGKILL there. */
export type WorkerProcessStart = Partial<Omit<WorkerProcessOptions, "failpoint">> & {
  readonly failpoint?: FailpointName | Breakage
  readonly env?: Readonly<Record<string, string>>
  readonly execArgv?: ReadonlyArray<string>
}

/** Starts a worker process on the world's database and does not wait until it is ready: a standby never is. */
export const forkWorker = (
  world: Pick<World, "url" | "secretsDir">,
  { failpoint, env, execArgv, ...options }: WorkerProcessStart = {}
): WorkerProcess => {
  const all: WorkerProcessOptions = {
    url: world.url,
    secretsDir: world.secretsDir,
    withoutGuards: [],
    guardsOff: [],
    ...options,
    ...(failpoint === undefined
      ? {}
      : { failpoint: typeof failpoint === "string" ? { at: failpoint, how: "kill" } : failpoint }),
    settings: { ...quickSettings, ...options.settings },
    client: { ...quickClient, ...options.client },
    tuning: { ...quickTuning, ...options.tuning }
  }
  const child = fork(join(import.meta.dirname, "workerProcess.ts"), {
    env: { ...process.env, ...env, WORKER_OPTIONS: JSON.stringify(all) },
    execArgv: [...(execArgv ?? [])],
    stdio: ["ignore", "pipe", "pipe", "ipc"]
  })
  const log: Array<LogLine> = []
  const said: Array<string> = []
  const follow = (stream: NodeJS.ReadableStream | null): void => {
    if (stream === null) return
    createInterface({ input: stream }).on("line", (line) => {
      if (process.env["TEST_LOG"]) process.stderr.write(`${child.pid} ${line}\n`)
      if (line.startsWith('{"time"')) log.push(JSON.parse(line) as LogLine)
      else said.push(line)
    })
  }
  follow(child.stdout)
  follow(child.stderr)
  // Its last words are read before it counts as gone.
  const gone = new Promise<string>((resolve) => child.once("close", (code, signal) => resolve(signal ?? String(code))))
  const ready = Promise.race([
    new Promise<void>((resolve) => child.once("message", () => resolve())),
    gone.then((how) =>
      Promise.reject(
        new Error(`The worker ended before it was ready: ${how}\n${log.at(-1)?.error ?? ""}\n${said.join("\n")}`)
      )
    )
  ])
  ready.catch(() => undefined)
  return {
    child,
    ready,
    gone,
    log,
    said: () => said.join("\n"),
    kill: () => {
      child.kill("SIGKILL")
      return gone
    }
  }
}

/** Starts a worker process on the world's database; resolves when it has loaded its hosts. */
export const spawnWorker = async (
  world: Pick<World, "url" | "secretsDir">,
  options: WorkerProcessStart = {}
): Promise<WorkerProcess> => {
  const worker = forkWorker(world, options)
  await worker.ready
  return worker
}
