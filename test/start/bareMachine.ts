import { execFileSync, spawnSync } from "node:child_process"
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"

const root = join(import.meta.dirname, "..", "..")

const coreutils =
  "[ basename cat chmod chown cp cut date dirname echo env expr false head id ln ls mkdir mktemp mv nproc printf pwd " +
  "readlink realpath rm rmdir sleep sort stat tail tee test touch tr true uname uniq wc whoami"

/** An account to start the product as, in a checkout of its own, with hardly anything on PATH. */
export interface BareMachine {
  readonly account: string
  readonly ids: { readonly uid?: number; readonly gid?: number }
  readonly folder: string
  readonly checkout: string
  readonly environment: Record<string, string>
  readonly remove: () => void
}

/** The machine's own node: the one that runs this is Node 24 from node_modules, which a fresh clone does not have. */
const find = (program: string): string => {
  const places = (process.env["PATH"] ?? "").split(":").filter((place) => !place.startsWith(join(root, "node_modules")))
  const found = places.map((place) => join(place, program)).find((path) => existsSync(path))
  if (found === undefined) throw new Error(`There is no ${program} on PATH.`)
  return realpathSync(found)
}

const makePath = (folder: string): string => {
  const path = join(folder, "bin")
  mkdirSync(path)
  symlinkSync(find("node"), join(path, "node"))
  symlinkSync(find("npm"), join(path, "npm"))
  symlinkSync(find("sh"), join(path, "sh"))
  for (const program of coreutils.split(" ")) {
    const place = ["/usr/bin", "/bin"].map((bin) => join(bin, program)).find((file) => existsSync(file))
    if (place !== undefined) symlinkSync(place, join(path, program))
  }
  return path
}

/** Everything git would check out from the tree as it stands. */
const copyTree = (destination: string): void => {
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024
  })
  for (const file of listed.split("\0").filter((name) => name !== "" && existsSync(join(root, name)))) {
    mkdirSync(dirname(join(destination, file)), { recursive: true })
    cpSync(join(root, file), join(destination, file), { verbatimSymlinks: true })
  }
}

const idOf = (option: string, account: string): number =>
  Number(execFileSync("id", [option, account], { encoding: "utf8" }).trim())

const give = (folder: string, ids: BareMachine["ids"]): void => {
  if (ids.uid !== undefined) execFileSync("chown", ["-R", `${ids.uid}:${ids.gid}`, folder])
}

/** npm's cache as it is on this machine, so that the time of the network is not measured. */
const copyCache = (folder: string): string => {
  const cache = join(folder, "npm-cache")
  const own = execFileSync("npm", ["config", "get", "cache"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
  const content = join(own.trim(), "_cacache")
  mkdirSync(cache)
  if (existsSync(content)) spawnSync("cp", ["-R", content, cache])
  return cache
}

/** Makes it; `account` must exist and be ours or we be root. */
export const makeBareMachine = (account: string): BareMachine => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "pm-start-")))
  const isRoot = process.getuid?.() === 0
  const ids = isRoot && account !== "root" ? { uid: idOf("-u", account), gid: idOf("-g", account) } : {}
  const home = join(folder, "home")
  const checkout = join(folder, "checkout")
  const path = makePath(folder)
  mkdirSync(home)
  mkdirSync(checkout)
  copyTree(checkout)
  const cache = copyCache(folder)
  for (const owned of [home, checkout, cache]) give(owned, ids)
  if (ids.uid !== undefined && ids.gid !== undefined) chownSync(folder, ids.uid, ids.gid)
  chmodSync(folder, 0o755)
  return {
    account,
    ids,
    folder,
    checkout,
    environment: { PATH: path, HOME: home, npm_config_cache: cache, LANG: "C.UTF-8" },
    remove: () => rmSync(folder, { recursive: true, force: true })
  }
}
