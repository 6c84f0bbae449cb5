import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { SqlClient } from "effect/sql/SqlClient"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { readFileSync } from "node:fs"
import { layer as databaseLayer } from "#sql/Database.ts"
import type { ConfigValues } from "../Config.ts"
import { dataFiles } from "../DataDirectory.ts"
import { CommandError } from "./CommandError.ts"

const urlOf = (config: ConfigValues): string => {
  const stated = config.database.webUrl ?? config.databaseUrl
  if (stated !== undefined) return Redacted.value(stated)
  try {
    return readFileSync(dataFiles(config.dataDir).databaseUrl, "utf8").trim()
  } catch (error) {
    const denied = (error as NodeJS.ErrnoException).code === "EACCES"
    throw new CommandError({
      message: denied
        ? `This user may not read ${config.dataDir}: run as the user who started the manager.`
        : `No manager has run from ${config.dataDir}: name its folder with --data-dir.`
    })
  }
}

/** Runs `effect` on the database of the manager that runs from the configured data directory. */
export const inInstance = <A, E>(config: ConfigValues, effect: Effect.Effect<A, E | SqlError, SqlClient>): Promise<A> =>
  Effect.runPromise(
    effect.pipe(
      Effect.provide(databaseLayer({ url: urlOf(config), applicationName: "patch-manager cli", maxConnections: 1 })),
      Effect.mapError((error) =>
        isSqlError(error)
          ? new CommandError({
              message: `The database of the manager in ${config.dataDir} does not answer as it should (${error.message}): is the manager running?`
            })
          : error
      )
    )
  )
