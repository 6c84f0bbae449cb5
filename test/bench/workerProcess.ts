/** The whole worker in a process of its own, which tells what it used. */
import "effect/schema/SchemaJITCompiler/enable"
import { Cause, Effect, Fiber, Redacted, References } from "effect"
import type { AgentClientOptions } from "#actors/agent/AgentClient.ts"
import type { WorkerSettingsShape } from "#actors/hosts/WorkerSettings.ts"
import { worker } from "#deploy/layers.ts"
import { answerQuestions, usageOfThisProcess } from "./Child.ts"

export interface WorkerStart {
  readonly url: string
  readonly secretsDir: string
  readonly settings: Partial<WorkerSettingsShape>
  readonly client: Partial<AgentClientOptions>
}

/** First message of this process: hosts are loaded and polled. */
export interface WorkerReady {
  /** From the first look at the database to the last loaded host. */
  readonly readyMs: number
}

const { url, secretsDir, settings, client } = JSON.parse(process.argv[2] ?? "{}") as WorkerStart
const started = performance.now()

const running = Effect.runFork(
  worker(
    { databaseUrl: Redacted.make(url), databaseRoles: "separate", secretsDir, agentConcurrency: 64, settings, client },
    Effect.sync(() =>
      answerQuestions({ readyMs: performance.now() - started } satisfies WorkerReady, usageOfThisProcess)
    )
  ).pipe(Effect.provideService(References.MinimumLogLevel, "Warn"))
)
running.addObserver((exit) => {
  if (exit._tag === "Failure" && Cause.hasInterruptsOnly(exit.cause)) process.exit(0)
  if (exit._tag === "Failure") process.stderr.write(`${Cause.pretty(exit.cause)}\n`)
  process.exit(1)
})
process.on("SIGTERM", () => void Effect.runPromise(Fiber.interrupt(running)))
