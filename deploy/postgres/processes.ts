import { readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs"

/** Whether a process runs: a killed one that nobody has reaped yet still has a pid, so its state decides. */
export const isRunning = (pid: number): boolean => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    const state = stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3)
    return state !== "Z" && state !== "X"
  } catch {
    return false
  }
}

/** The processes whose working directory is `directory`; every PostgreSQL process stands in its data directory. */
export const processesIn = (directory: string): ReadonlyArray<number> => {
  const wanted = realpathSync(directory)
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readlinkSync(`/proc/${name}/cwd`) === wanted && isRunning(Number(name))
      } catch {
        return false
      }
    })
    .map(Number)
}

/** Polls `condition` every `everyMs` until it holds; answers whether it did before `deadlineMs` had passed. */
export const until = async (condition: () => boolean | Promise<boolean>, deadlineMs: number, everyMs = 20) => {
  const end = performance.now() + deadlineMs
  for (;;) {
    if (await condition()) return true
    if (performance.now() >= end) return false
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
