/** The whole web process, which tells what it used. */
import "effect/schema/SchemaJITCompiler/enable"
import { Cause, Effect, Fiber, Redacted, References } from "effect"
import type { WebSettings } from "#http/server/WebSettings.ts"
import { web } from "#deploy/layers.ts"
import { answerQuestions, usageOfThisProcess } from "./Child.ts"

export interface WebStart {
  readonly url: string
  readonly secretsDir: string
  readonly settings: WebSettings
}

const { url, secretsDir, settings } = JSON.parse(process.argv[2] ?? "{}") as WebStart
const running = Effect.runFork(
  web(
    { databaseUrl: Redacted.make(url), databaseRoles: "separate", secretsDir, settings },
    Effect.sync(() => answerQuestions("ready", usageOfThisProcess))
  ).pipe(Effect.provideService(References.MinimumLogLevel, "Warn"))
)
running.addObserver((exit) => {
  if (exit._tag === "Failure" && Cause.hasInterruptsOnly(exit.cause)) process.exit(0)
  if (exit._tag === "Failure") process.stderr.write(`${Cause.pretty(exit.cause)}\n`)
  process.exit(1)
})
process.on("SIGTERM", () => void Effect.runPromise(Fiber.interrupt(running)))
