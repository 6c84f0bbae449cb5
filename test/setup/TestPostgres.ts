import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { processesIn } from "#deploy/postgres/processes.ts"
import { startPostgres } from "#deploy/postgres/startPostgres.ts"

/** A PostgreSQL 18 of its own in a temporary folder, for one test run; nothing in it survives. */
export interface TestPostgres {
  readonly url: string
  readonly stop: () => Promise<void>
}

const prefix = "pm-test-"

/** Ends the server with us even when the run is killed. */
export const endWithUs = (): ReadonlyArray<string> => {
  const setpriv = ["/usr/bin/setpriv", "/bin/setpriv"].find((path) => existsSync(path))
  return setpriv === undefined ? [] : [setpriv, "--pdeathsig", "INT", "--"]
}

/** Folders of runs that were killed: their server is gone, they are not. */
const discardAbandoned = (): void => {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(prefix))) {
    const data = join(tmpdir(), name, "data")
    try {
      const old = Date.now() - statSync(data).mtimeMs > 3_600_000
      if (old && processesIn(data).length === 0) rmSync(join(tmpdir(), name), { recursive: true, force: true })
    } catch {
      // It belongs to another user or is being removed by another run.
    }
  }
}

/** Starts it; `durable` keeps fsync on, for suites that kill the server. */
export const startTestPostgres = async (durable = false): Promise<TestPostgres> => {
  discardAbandoned()
  const folder = mkdtempSync(join(tmpdir(), prefix))
  const discard = (): void => rmSync(folder, { recursive: true, force: true })
  const server = await startPostgres({
    folder,
    durability: durable ? "durable" : "throwaway",
    mayCreateAccount: false,
    wrapper: endWithUs()
  }).catch((error: unknown) => {
    discard()
    throw error
  })
  return {
    url: server.url,
    stop: async () => {
      await server.stop()
      discard()
    }
  }
}
