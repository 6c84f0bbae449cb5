import { createHash } from "node:crypto"
import { chmodSync, chownSync, lstatSync, mkdirSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { DatabaseAccount } from "./databaseAccount.ts"
import { PostgresError } from "./PostgresError.ts"

/** PostgreSQL's socket in its directory. */
export const socketName = ".s.PGSQL.5432"

/** The kernel takes 107 bytes for the whole path of a unix socket. */
const longestDirectory = 107 - 1 - socketName.length

/** A directory fits when the socket's path is short enough and PostgreSQL's list syntax has no meaning in it. */
export const fits = (directory: string): boolean =>
  Buffer.byteLength(directory) <= longestDirectory && !/[",'\\\n]/.test(directory)

const own = (directory: string, account: DatabaseAccount): void => {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const found = lstatSync(directory)
  const uid = process.getuid?.() ?? 0
  if (!found.isDirectory() || (found.uid !== account.uid && found.uid !== uid)) {
    throw new PostgresError({
      message: `${directory} is a link or belongs to another user, so the database socket is not safe there: remove it and start again.`
    })
  }
  if (uid === 0) chownSync(directory, account.uid, account.gid)
  chmodSync(directory, 0o700)
}

/** Makes the directory of the socket: `run` beside the cluster, or a short private folder where that path is too long. */
export const socketDirectory = (cluster: string, account: DatabaseAccount): string => {
  const near = join(cluster, "run")
  const hash = createHash("sha256").update(cluster).digest("hex").slice(0, 12)
  const directory = fits(near) ? near : join(tmpdir(), `pm-${account.uid}-${hash}`)
  if (!fits(directory)) {
    throw new PostgresError({
      message: `The path ${directory} is too long for a database socket (${longestDirectory} bytes): choose a shorter --data-dir.`
    })
  }
  own(directory, account)
  return directory
}
