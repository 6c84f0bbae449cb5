/** libfaketime, with which a row moves the wall clock of a process; installed where that is possible. */
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"

const folders = ["x86_64-linux-gnu/", "aarch64-linux-gnu/", ""]

const find = (): string | undefined =>
  folders.map((folder) => `/usr/lib/${folder}faketime/libfaketimeMT.so.1`).find((path) => existsSync(path))

const install = (): void => {
  const run = (...args: ReadonlyArray<string>) => spawnSync("apt-get", [...args], { stdio: "ignore", timeout: 120_000 })
  if (run("install", "-y", "--no-install-recommends", "faketime").status === 0) return
  run("update", "-q")
  run("install", "-y", "--no-install-recommends", "faketime")
}

/** The library's path, or why it is not there. */
export const requireFaketime = (): { readonly path: string } | { readonly why: string } => {
  if (find() === undefined && process.getuid?.() === 0) install()
  const path = find()
  if (path !== undefined) return { path }
  return { why: "libfaketime is not installed and cannot be: run this as root, or `apt-get install faketime` first" }
}
