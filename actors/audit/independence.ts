/** Whether the checkpoints outside are out of the reach of whoever owns the database. */
import { statSync } from "node:fs"
import { parseDatabaseUrl } from "#sql/DatabaseUrl.ts"

export interface Independence {
  readonly independent: boolean
  /** One sentence for the page. */
  readonly reason: string
}

const no = (reason: string): Independence => ({ independent: false, reason })

const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || host.startsWith("127.")

/** `rulesTheLog`: whether the worker's own database role could change rows of the log. In doubt the answer is no. */
export const judgeIndependence = (databaseUrl: string, rulesTheLog: boolean): Independence => {
  const { host, path } = parseDatabaseUrl(databaseUrl)
  if (path !== undefined) {
    let owner: number
    try {
      owner = statSync(path).uid
    } catch {
      return no("Who runs the database cannot be told: its socket cannot be looked at.")
    }
    if (owner === process.getuid?.()) {
      return no(
        "The database runs as the same user as the manager, so whoever owns it can write the checkpoints as well."
      )
    }
  } else if (isLoopback(host ?? "localhost")) {
    return no(
      "The database is reached over loopback, where it cannot be told which user runs it. Use its unix socket, or send checkpoints to a log server."
    )
  }
  if (rulesTheLog) {
    return no(
      "The worker's database role may change rows of the log, so one break-in reaches both. Start with separate database roles."
    )
  }
  return {
    independent: true,
    reason: "The file and the key belong to another user than the one who owns the database."
  }
}
