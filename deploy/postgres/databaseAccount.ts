import { spawnSync } from "node:child_process"
import { existsSync, statSync } from "node:fs"
import { PostgresError } from "./PostgresError.ts"

/** The operating system account PostgreSQL runs under. `ids` is set only where we must switch to it (we are root). */
export interface DatabaseAccount {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly ids: { readonly uid: number; readonly gid: number } | Record<never, never>
  readonly note?: string
}

const systemAccount = "patch-manager"

const run = (command: string, ...args: ReadonlyArray<string>): string | undefined => {
  const result = spawnSync(command, [...args], { encoding: "utf8", timeout: 20_000 })
  return result.status === 0 ? result.stdout.trim() : undefined
}

const named = (name: string, note?: string): DatabaseAccount | undefined => {
  const uid = run("id", "-u", name)
  const gid = run("id", "-g", name)
  if (uid === undefined || gid === undefined) return undefined
  const ids = { uid: Number(uid), gid: Number(gid) }
  return { name, ...ids, ids, ...(note === undefined ? {} : { note }) }
}

const ownerOf = (directory: string): DatabaseAccount | undefined => {
  if (!existsSync(directory)) return undefined
  const { uid, gid } = statSync(directory)
  if (uid === 0) return undefined
  const name = run("id", "-un", String(uid))
  if (name === undefined) {
    throw new PostgresError({
      message:
        `The database files in ${directory} belong to user id ${uid}, which has no name on this machine: ` +
        `create an account for it, or give the files to another account with chown.`
    })
  }
  return { name, uid, gid, ids: { uid, gid } }
}

const created = (): DatabaseAccount | undefined => {
  const useradd = ["/usr/sbin/useradd", "/sbin/useradd"].find((path) => existsSync(path))
  if (useradd === undefined) return undefined
  const shell = existsSync("/usr/sbin/nologin") ? "/usr/sbin/nologin" : "/bin/false"
  run(useradd, "--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", shell, systemAccount)
  return named(
    systemAccount,
    `Created the system account "${systemAccount}", because PostgreSQL refuses to run as root.`
  )
}

const self = (uid: number): DatabaseAccount => {
  const name = run("id", "-un")
  if (name === undefined) {
    throw new PostgresError({
      message:
        `User id ${uid} has no name on this machine and PostgreSQL cannot run without one: ` +
        "start as a user that is listed in /etc/passwd."
    })
  }
  return { name, uid, gid: process.getgid?.() ?? uid, ids: {} }
}

/**
 * Chooses the account for the cluster in `data`: an ordinary user itself; for root the owner of existing files, else the
 * account "patch-manager" (made when `mayCreate`), else "nobody".
 */
export const databaseAccount = (data: string, mayCreate: boolean): DatabaseAccount => {
  const uid = process.getuid?.() ?? 0
  if (uid !== 0) return self(uid)
  const account = ownerOf(data) ?? named(systemAccount) ?? (mayCreate ? created() : undefined)
  if (account !== undefined) return account
  const nobody = named(
    "nobody",
    `PostgreSQL runs as "nobody", because the account "${systemAccount}" could not be created; other services may share it.`
  )
  if (nobody !== undefined) return nobody
  throw new PostgresError({
    message: `PostgreSQL refuses to run as root and there is no other account: create one with "useradd --system ${systemAccount}".`
  })
}

/** Whether the account can enter `directory`, found out by really entering it. */
export const canEnter = (account: DatabaseAccount, directory: string): boolean =>
  spawnSync("/bin/sh", ["-c", 'cd "$1"', "sh", directory], { ...account.ids, cwd: "/", stdio: "ignore" }).status === 0
