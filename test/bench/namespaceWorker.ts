/**
 * The real worker inside a private network namespace: lays the routes, starts the machines around it, and measures how long its main
 * loop is held up. PostgreSQL is reached over its socket file, which no network namespace hides.
 */
import { execFileSync, fork } from "node:child_process"
import { join } from "node:path"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { Effect, Logger, Redacted } from "effect"
import { worker } from "#deploy/layers.ts"
import type { Listening } from "./networkAround.ts"

export interface NamespaceOptions {
  readonly url: string
  readonly secretsDir: string
  readonly routes: ReadonlyArray<string>
  readonly listening: Listening
}

const options: NamespaceOptions = JSON.parse(process.env["NAMESPACE_OPTIONS"] ?? "{}")
for (const route of options.routes) execFileSync("ip", route.split(" "))

const around = fork(join(import.meta.dirname, "networkAround.ts"), {
  env: { ...process.env, LISTENING: JSON.stringify(options.listening) }
})
await new Promise<void>((resolve, reject) => {
  around.once("message", () => resolve())
  around.once("exit", (code) => reject(new Error(`The machines around ended with ${code}`)))
})

const delay = monitorEventLoopDelay({ resolution: 5 })
await new Promise<void>((resolve, reject) => {
  Effect.runFork(
    worker(
      { databaseUrl: Redacted.make(options.url), secretsDir: options.secretsDir, agentConcurrency: 64 },
      Effect.sync(resolve)
    ).pipe(Effect.provide(Logger.layer([])))
  ).addObserver((exit) => {
    if (exit._tag === "Failure") reject(new Error(String(exit.cause)))
  })
})
delay.enable()
process.on("message", (word) => {
  if (word === "reset") delay.reset()
  process.send?.({ max_ms: delay.max / 1e6, p99_ms: delay.percentile(99) / 1e6 })
})
process.on("disconnect", () => {
  around.kill()
  process.exit(0)
})
process.send?.("ready")
