import { type ChildProcess, spawn } from "node:child_process"
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import * as https from "node:https"
import { type AddressInfo, createServer } from "node:net"
import { join } from "node:path"
import { isRunning, until } from "#deploy/postgres/processes.ts"
import type { BareMachine } from "./bareMachine.ts"

/** A port nobody uses at this moment. */
export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

/** A program of the checkout that runs, and what it has said so far. */
export interface Running {
  readonly child: ChildProcess
  readonly output: () => string
  readonly ended: Promise<number | null>
}

const spawnIn = (machine: BareMachine, args: ReadonlyArray<string>): Running => {
  const child = spawn("npm", [...args], {
    ...machine.ids,
    cwd: machine.checkout,
    env: machine.environment,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"]
  })
  let output = ""
  const keep = (chunk: Buffer): void => void (output += chunk.toString("utf8"))
  child.stdout.on("data", keep)
  child.stderr.on("data", keep)
  return { child, output: () => output, ended: new Promise((resolve) => child.once("close", resolve)) }
}

/** `npm start -- args`. */
export const npmStart = (machine: BareMachine, ...args: ReadonlyArray<string>): Running =>
  spawnIn(machine, ["start", "--", ...args])

/** Runs an npm command to its end. */
export const npm = async (machine: BareMachine, ...args: ReadonlyArray<string>) => {
  const running = spawnIn(machine, args)
  const code = await running.ended
  return { code, output: running.output() }
}

/** Waits for the address line, answering the seconds it took; fails with the output when the program ends instead. */
export const untilRunning = async (running: Running, address: string, deadlineSeconds: number): Promise<number> => {
  const began = performance.now()
  let over = false
  void running.ended.then(() => (over = true))
  const line = `Linux Patch Manager is running: ${address}\n`
  const seen = await until(() => over || running.output().includes(line), deadlineSeconds * 1_000)
  if (!seen || !running.output().includes(line)) {
    throw new Error(`No address line within ${deadlineSeconds} s:\n${running.output()}`)
  }
  return (performance.now() - began) / 1_000
}

/** GETs a path over verified HTTPS. */
export const get = (address: string, caFile: string, path: string, token?: string) =>
  new Promise<{ readonly status: number; readonly text: string }>((resolve, reject) => {
    const request = https.get(
      new URL(path, address),
      {
        ca: readFileSync(caFile),
        agent: false,
        signal: AbortSignal.timeout(10_000),
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` }
      },
      (response) => {
        let text = ""
        response.setEncoding("utf8")
        response.on("data", (chunk: string) => (text += chunk))
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }))
      }
    )
    request.on("error", reject)
  })

/** Every living process that works in the folder or was started with a path in it. */
export const processesOf = (folder: string): ReadonlyArray<{ readonly pid: number; readonly command: string }> =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid && isRunning(Number(name)))
    .flatMap((name) => {
      try {
        const command = readFileSync(join("/proc", name, "cmdline"), "utf8").replaceAll("\0", " ")
        const place = readlinkSync(join("/proc", name, "cwd"))
        return command.includes(folder) || place.startsWith(folder) ? [{ pid: Number(name), command }] : []
      } catch {
        return []
      }
    })
