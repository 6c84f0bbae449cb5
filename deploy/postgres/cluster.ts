import { spawn } from "node:child_process"
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import type { Binaries } from "./binaries.ts"
import { canEnter, type DatabaseAccount } from "./databaseAccount.ts"
import { PostgresError } from "./PostgresError.ts"

/** The role that owns everything, those of the two processes, and the database the product uses. */
export const roleName = "patch_manager"
export const processRoles = { web: "patch_manager_web", worker: "patch_manager_worker" }
export const databaseName = "patch_manager"

const supportedVersion = "18"
const spaceNeeded = 200 * 1024 * 1024

export const environment = { LC_ALL: "C.UTF-8", TZ: "UTC", PATH: process.env["PATH"] ?? "/usr/bin:/bin" }

/** How careful the server is with the disk: `throwaway` may lose everything at a power cut and is for plain tests. */
export type Durability = "durable" | "throwaway"

const initdbOptions = [
  `--username=${roleName}`,
  "--encoding=UTF8",
  "--locale=C.UTF-8",
  "--locale-provider=builtin",
  "--builtin-locale=C.UTF-8",
  "--data-checksums",
  "--auth=peer"
]

const runInitdb = (account: DatabaseAccount, program: string, args: ReadonlyArray<string>, input: string) =>
  new Promise<void>((resolve, reject) => {
    const child = spawn(program, [...args], { ...account.ids, cwd: "/", env: environment, stdio: "pipe" })
    let output = ""
    const keep = (chunk: Buffer) => (output = (output + chunk.toString("utf8")).slice(-4_000))
    child.stdout.on("data", keep)
    child.stderr.on("data", keep)
    child.on("error", (error) => reject(new PostgresError({ message: `Cannot run ${program}: ${error.message}.` })))
    child.on("close", (code) => {
      if (code === 0) return resolve()
      const line =
        output
          .trim()
          .split("\n")
          .findLast((text) => /error|fatal/i.test(text)) ?? output.trim()
      reject(new PostgresError({ message: `The database files could not be created: ${line}` }))
    })
    child.stdin.on("error", () => undefined)
    child.stdin.end(input)
  })

/** Makes the folder of a cluster and proves that the account can enter it. */
export const makeClusterFolder = (folder: string, account: DatabaseAccount): void => {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const uid = process.getuid?.() ?? 0
  const owner = statSync(folder).uid
  if (uid !== 0 && owner !== uid) {
    throw new PostgresError({
      message:
        `The database in ${folder} belongs to user id ${owner}: run as that user or as root, ` +
        "or choose another --data-dir."
    })
  }
  if (uid === 0) chownSync(folder, account.uid, account.gid)
  chmodSync(folder, 0o700)
  if (canEnter(account, folder)) return
  throw new PostgresError({
    message: `The account "${account.name}" cannot enter ${folder}: choose another --data-dir.`
  })
}

/** Creates the cluster in `folder`/data if there is none; a kill or a full disk on the way never leaves a half one. */
export const createCluster = async (
  folder: string,
  account: DatabaseAccount,
  binaries: Binaries,
  durability: Durability
): Promise<void> => {
  const data = join(folder, "data")
  if (existsSync(data)) return
  const { bavail, bsize } = statfsSync(folder)
  if (bavail * bsize < spaceNeeded) {
    throw new PostgresError({
      message: `There is too little room for the database in ${folder} (200 MB needed): free some, or choose another --data-dir.`
    })
  }
  const partial = `${data}.new`
  rmSync(partial, { recursive: true, force: true })
  await runInitdb(
    account,
    binaries.initdb,
    [...initdbOptions, `--pgdata=${partial}`, ...(durability === "throwaway" ? ["-N"] : [])],
    ""
  )
  await runInitdb(
    account,
    binaries.postgres,
    ["--single", "-D", partial, ...(durability === "throwaway" ? ["-F"] : []), "postgres"],
    `create database ${databaseName}\n`
  )
  renameSync(partial, data)
}

/** Refuses a cluster of another major version before the server does so in its own words. */
export const checkVersion = (data: string): void => {
  const found = readFileSync(join(data, "PG_VERSION"), "utf8").trim()
  if (found === supportedVersion) return
  throw new PostgresError({
    message:
      `The database in ${data} was made by PostgreSQL ${found} and this release brings ${supportedVersion}: ` +
      `start the release that made it and dump the database there, or run a PostgreSQL ${found} of your own on it and use --database-url.`
  })
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`

const settings = (sockets: string, durability: Durability): string =>
  [
    "# Written at every start. Your own settings go into postgresql.custom.conf beside the data folder.",
    "listen_addresses = ''",
    `unix_socket_directories = ${quoted(sockets)}`,
    "unix_socket_permissions = 0700",
    "port = 5432",
    `max_connections = ${durability === "durable" ? 60 : 200}`,
    "shared_buffers = 128MB",
    "timezone = 'UTC'",
    "log_timezone = 'UTC'",
    "jit = off",
    ...(durability === "durable"
      ? [
          "fsync = on",
          "synchronous_commit = on",
          "full_page_writes = on",
          "logging_collector = on",
          "log_directory = '../log'",
          "log_filename = 'postgresql-%a.log'",
          "log_rotation_age = 1d",
          "log_truncate_on_rotation = on"
        ]
      : ["fsync = off", "synchronous_commit = off", "full_page_writes = off", "max_wal_size = 2GB"]),
    "include_if_exists = '../postgresql.custom.conf'",
    ""
  ].join("\n")

/** Writes the server's settings and who may connect: root and the account itself, each proved by the kernel. */
export const configureCluster = (
  folder: string,
  account: DatabaseAccount,
  sockets: string,
  durability: Durability
): void => {
  const data = join(folder, "data")
  const write = (name: string, text: string): void => {
    const path = join(data, name)
    writeFileSync(path, text, { mode: 0o600 })
    if (process.getuid?.() === 0) chownSync(path, account.uid, account.gid)
  }
  write("postgresql.conf", settings(sockets, durability))
  write("pg_hba.conf", "local all all peer map=pm\n")
  const roles = [roleName, processRoles.web, processRoles.worker]
  write("pg_ident.conf", roles.map((role) => `pm root ${role}\npm "${account.name}" ${role}\n`).join(""))
}
