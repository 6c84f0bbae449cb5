/** Runs a process of ours to its end: asked to stop it exits with 0; anything else leaves one line that says why. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import type { ConfigValues } from "./Config.ts"
import { logWriter } from "./Log.ts"

export const runProcess = <A, E>(name: string, log: ConfigValues["log"], main: Effect.Effect<A, E>): void => {
  const write = logWriter(name, log)
  const say = (cause: Cause.Cause<unknown>): void => {
    const first = Cause.squash(cause)
    write("error", first instanceof Error ? first.message : String(first), { cause: Cause.pretty(cause) })
  }
  // What nobody waited for has left its work undone: the process starts anew from what is stored.
  const die = (error: unknown): void => {
    say(Cause.die(error))
    process.exit(1)
  }
  process.on("unhandledRejection", die)
  process.on("uncaughtException", die)
  NodeRuntime.runMain(main, {
    disableErrorReporting: true,
    teardown: (exit, onExit) => {
      if (Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)) return onExit(0)
      if (Exit.isFailure(exit)) say(exit.cause)
      Runtime.defaultTeardown(exit, onExit)
    }
  })
}
