/** Secrets lie in files that only their owner reads: a process' environment and its command line are seen by too many. */
import * as Data from "effect/Data"
import { readFileSync, statSync } from "node:fs"
import { isAbsolute } from "node:path"
import { parseDatabaseUrl } from "#sql/DatabaseUrl.ts"

export class SecretSettingError extends Data.TaggedError("SecretSettingError")<{ readonly message: string }> {}

const FILE = "file:"
const MAX_BYTES = 4096

const refuse = (message: string): never => {
  throw new SecretSettingError({ message })
}

export const holdsPassword = (url: string): boolean => parseDatabaseUrl(url).password !== undefined

const readPrivateFile = (setting: string, path: string): string => {
  const say = `The setting ${setting} names the file ${path}, `
  if (!isAbsolute(path)) refuse(`${say}which is no absolute path.`)
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined || !stat.isFile()) return refuse(`${say}and there is no such file.`)
  if ((stat.mode & 0o077) !== 0) refuse(`${say}which others than its owner may read: chmod 600 ${path}`)
  if (stat.size > MAX_BYTES) refuse(`${say}which is larger than ${MAX_BYTES} bytes.`)
  return readFileSync(path, "utf8").trim()
}

/** A database address as given: itself, or `file:/path` of a file that holds it. Throws where a password would be seen by others. */
export const databaseUrlOf = (setting: string, given: string): string => {
  const fromFile = given.startsWith(FILE)
  const url = fromFile ? readPrivateFile(setting, given.slice(FILE.length)) : given
  let shown = false
  try {
    shown = holdsPassword(url)
  } catch {
    refuse(`The setting ${setting}: ${fromFile ? "what its file holds" : "the text"} is no postgresql:// address.`)
  }
  if (shown && !fromFile) {
    refuse(
      `The setting ${setting} holds a password, which others can see in the environment or the list of processes: write the address into a file that only you may read (chmod 600) and give file:/path/of/that/file instead.`
    )
  }
  return url
}
