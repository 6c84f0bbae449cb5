import type { WriteLog } from "../Log.ts"
import { isRunning } from "../postgres/processes.ts"
import type { RunningPostgres } from "../postgres/startPostgres.ts"

const lookEveryMs = 500

/** Watches the server and starts it again when it ends by itself; `stop` ends watch and server. */
export const keepDatabase = (
  first: RunningPostgres,
  start: () => Promise<RunningPostgres>,
  log: WriteLog
): { readonly stop: () => Promise<void> } => {
  let server = first
  let stopping = false
  let restarting: Promise<void> = Promise.resolve()
  const look = async (): Promise<void> => {
    if (isRunning(server.pid)) return
    log("error", "PostgreSQL ended by itself; starting it again.")
    try {
      server = await start()
      log("info", "PostgreSQL works again.")
    } catch (error) {
      log("error", error instanceof Error ? error.message : String(error))
    }
  }
  let timer: NodeJS.Timeout
  const next = (): void => {
    timer = setTimeout(() => {
      restarting = look().then(() => {
        if (!stopping) next()
      })
    }, lookEveryMs)
  }
  next()
  return {
    stop: async () => {
      stopping = true
      clearTimeout(timer)
      await restarting
      await server.stop()
    }
  }
}
