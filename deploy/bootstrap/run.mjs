import { spawn } from "node:child_process"
import { constants } from "node:os"
import { delimiter, dirname } from "node:path"
import { node24, root } from "./paths.mjs"

const signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]

/** The environment in which programs that begin with "#!/usr/bin/env node" get Node 24. */
export const environment = (more = {}) => ({
  ...process.env,
  ...more,
  PATH: [dirname(node24), process.env.PATH].join(delimiter)
})

/**
 * npm dies of SIGKILL and SIGHUP without a word to us. Only under npm: a script that starts us and ends is no reason
 * to stop.
 */
const watchParent = (stop) => {
  if (process.env.npm_lifecycle_event === undefined) return undefined
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    stop("SIGTERM")
  }, 500)
  return timer
}

/** Runs a program of ours under Node 24 in our place and answers its exit code. */
export const runToEnd = ({ args, variables }) =>
  new Promise((resolve, reject) => {
    const child = spawn(node24, args, { cwd: root, env: environment(variables), stdio: "inherit" })
    const forward = (signal) => child.kill(signal)
    for (const signal of signals) process.on(signal, forward)
    const timer = watchParent(forward)
    child.on("error", reject)
    child.on("exit", (code, signal) => {
      clearInterval(timer)
      resolve(code ?? 128 + (constants.signals[signal] ?? 0))
    })
  })
