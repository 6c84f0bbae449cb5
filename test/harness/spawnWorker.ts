import { type ChildProcess, fork } from "node:child_process"
import { join } from "node:path"
import type { WorkerProcessOptions } from "./workerProcess.ts"
import { quickClient, quickSettings, quickTuning, type World } from "./World.ts"

export interface WorkerProcess {
  readonly child: ChildProcess
  /** Resolves with the signal or the code when the process is gone. */
  readonly gone: Promise<string>
  readonly kill: () => Promise<string>
}

/** Starts a worker process on the world's database; resolves when it has loaded its hosts. */
export const spawnWorker = async (
  world: Pick<World, "url" | "secretsDir">,
  options: Partial<WorkerProcessOptions> = {}
): Promise<WorkerProcess> => {
  const all: WorkerProcessOptions = {
    url: world.url,
    secretsDir: world.secretsDir,
    withoutGuards: [],
    ...options,
    settings: { ...quickSettings, ...options.settings },
    client: { ...quickClient, ...options.client },
    tuning: { ...quickTuning, ...options.tuning }
  }
  const child = fork(join(import.meta.dirname, "workerProcess.ts"), {
    env: { ...process.env, WORKER_OPTIONS: JSON.stringify(all) },
    execArgv: [],
    stdio: ["ignore", process.env["TEST_LOG"] ? "inherit" : "ignore", "inherit", "ipc"]
  })
  const gone = new Promise<string>((resolve) => child.once("exit", (code, signal) => resolve(signal ?? String(code))))
  await Promise.race([
    new Promise<void>((resolve) => child.once("message", () => resolve())),
    gone.then((how) => Promise.reject(new Error(`The worker ended before it was ready: ${how}`)))
  ])
  return {
    child,
    gone,
    kill: () => {
      child.kill("SIGKILL")
      return gone
    }
  }
}
