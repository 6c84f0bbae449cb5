/** Looks every hour whether the manager's client certificate has lived two thirds of its life; the worker takes the new one up. */
import { Effect, Schedule } from "effect"
import { renewManager } from "./ensureAuthority.ts"

export const renewForever = (directory: string) =>
  renewManager(directory).pipe(
    Effect.flatMap((renewed) =>
      renewed ? Effect.logInfo("The manager's client certificate was renewed") : Effect.void
    ),
    Effect.catch((error) => Effect.logError(error.message)),
    Effect.repeat(Schedule.spaced("1 hour")),
    Effect.annotateLogs({ module: "pki" })
  )
