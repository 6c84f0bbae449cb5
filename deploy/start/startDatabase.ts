import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { dataFiles } from "../DataDirectory.ts"
import { canEnter, databaseAccount } from "../postgres/databaseAccount.ts"
import { type RunningPostgres, startPostgres } from "../postgres/startPostgres.ts"

const makeReachable = (folder: string): boolean => {
  try {
    mkdirSync(dirname(folder), { recursive: true, mode: 0o755 })
    return true
  } catch {
    return false
  }
}

interface Place {
  readonly folder: string
  readonly notes: ReadonlyArray<string>
}

/** Inside the data directory, or, for root whose folder PostgreSQL's account cannot enter, in one that it can. */
const clusterPlace = (dataDir: string): Place => {
  const files = dataFiles(dataDir)
  if (existsSync(files.postgresLocation)) {
    const folder = readFileSync(files.postgresLocation, "utf8").trim()
    return { folder, notes: [`The database files are in ${folder}.`] }
  }
  if (process.getuid?.() !== 0) return { folder: files.postgres, notes: [] }
  const account = databaseAccount(join(files.postgres, "data"), true)
  const notes = account.note === undefined ? [] : [account.note]
  if (canEnter(account, dataDir)) return { folder: files.postgres, notes }
  const hash = createHash("sha256").update(realpathSync(dataDir)).digest("hex").slice(0, 12)
  const candidates = [join("/var/lib/patch-manager", hash), join(tmpdir(), `pm-data-${hash}`)]
  const folder = candidates.find((candidate) => makeReachable(candidate) && canEnter(account, dirname(candidate)))
  if (folder === undefined) return { folder: files.postgres, notes }
  writeFileSync(files.postgresLocation, `${folder}\n`, { mode: 0o644 })
  return {
    folder,
    notes: [
      ...notes,
      `The account "${account.name}" that PostgreSQL runs as cannot enter ${dataDir}, so the database files are in ${folder}.`
    ]
  }
}

/** Starts or adopts the PostgreSQL of this data directory. */
export const startDatabase = async (dataDir: string): Promise<RunningPostgres> => {
  const place = clusterPlace(dataDir)
  const server = await startPostgres({ folder: place.folder, durability: "durable", mayCreateAccount: true })
  return { ...server, notes: [...new Set([...place.notes, ...server.notes])] }
}
