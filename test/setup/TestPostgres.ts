import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { startPostgres } from "#deploy/postgres/startPostgres.ts"

/** A PostgreSQL 18 of its own in a temporary folder, for one test run; nothing in it survives. */
export interface TestPostgres {
  readonly url: string
  readonly stop: () => Promise<void>
}

/** Ends the server with us even when the run is killed. */
const wrapper = (): ReadonlyArray<string> => {
  const setpriv = ["/usr/bin/setpriv", "/bin/setpriv"].find((path) => existsSync(path))
  return setpriv === undefined ? [] : [setpriv, "--pdeathsig", "INT", "--"]
}

/** Starts it; `durable` keeps fsync on, for suites that kill the server. */
export const startTestPostgres = async (durable = false): Promise<TestPostgres> => {
  const folder = mkdtempSync(join(tmpdir(), "pm-test-"))
  const discard = (): void => rmSync(folder, { recursive: true, force: true })
  const server = await startPostgres({
    folder,
    durability: durable ? "durable" : "throwaway",
    mayCreateAccount: false,
    wrapper: wrapper()
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
