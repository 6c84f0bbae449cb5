/**
 * A wall clock that a test moves under running processes: libfaketime reads its offset from a control file at each look. The
 * steady clock of the same processes goes on as it does.
 */
import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { startPostgres } from "#deploy/postgres/startPostgres.ts"
import { migrate } from "#sql/migrate.ts"
import type { TestDatabase } from "#test/setup/Database.ts"

export interface FakeClock {
  /** What a process that is to live by this clock has in its environment. */
  readonly env: Readonly<Record<string, string>>
  /** From now on it is this far ahead of the real one. */
  readonly set: (seconds: number) => void
  readonly remove: () => void
}

export const makeFakeClock = (library: string): FakeClock => {
  // Other accounts read it too: PostgreSQL does not run as root.
  const folder = mkdtempSync(join(tmpdir(), "pm-clock-"))
  chmodSync(folder, 0o755)
  const file = join(folder, "offset")
  const set = (seconds: number): void => {
    writeFileSync(`${file}.new`, `${seconds < 0 ? "-" : "+"}${Math.abs(seconds)}s\n`, { mode: 0o644 })
    renameSync(`${file}.new`, file)
  }
  set(0)
  return {
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1"
    },
    set,
    remove: () => rmSync(folder, { recursive: true, force: true })
  }
}

/** A PostgreSQL of its own whose clock is this one, migrated. */
export const startFakedPostgres = async (clock: FakeClock): Promise<TestDatabase> => {
  const folder = mkdtempSync(join(tmpdir(), "pm-faked-"))
  const server = await startPostgres({
    folder,
    durability: "throwaway",
    mayCreateAccount: false,
    wrapper: [
      "/usr/bin/setpriv",
      "--pdeathsig",
      "INT",
      "--",
      "/usr/bin/env",
      ...Object.entries(clock.env).map(([name, value]) => `${name}=${value}`)
    ]
  })
  await migrate(server.url)
  return {
    url: server.url,
    drop: async () => {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
