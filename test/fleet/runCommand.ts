import { spawn } from "node:child_process"

export interface CommandResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

const maxOutput = 8 * 1024 * 1024

/**
 * Runs a program and always resolves: a missing program is exit 127, a deadline or an abort exit 124.
 * Output beyond 8 MiB is dropped.
 */
export const runCommand = (
  program: string,
  args: ReadonlyArray<string>,
  options: {
    readonly deadlineMs: number
    readonly env?: Readonly<Record<string, string>>
    readonly signal?: AbortSignal
  }
): Promise<CommandResult> =>
  new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe"],
      // The caller's own folder may be closed to the user who runs the program.
      cwd: "/",
      env: {
        ...process.env,
        // Debian keeps dpkg's helpers outside an ordinary user's path.
        PATH: `${process.env["PATH"] ?? ""}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`,
        LC_ALL: "C",
        DEBIAN_FRONTEND: "noninteractive",
        ...options.env
      }
    })
    const chunks = { stdout: "", stderr: "" }
    const collect = (name: "stdout" | "stderr") => (chunk: Buffer) => {
      if (chunks[name].length < maxOutput) chunks[name] += chunk.toString()
    }
    child.stdout.on("data", collect("stdout"))
    child.stderr.on("data", collect("stderr"))
    let stopped = false
    const stop = () => {
      stopped = true
      child.kill("SIGKILL")
    }
    const timer = setTimeout(stop, options.deadlineMs)
    options.signal?.addEventListener("abort", stop)
    const finish = (exitCode: number, problem = "") => {
      clearTimeout(timer)
      options.signal?.removeEventListener("abort", stop)
      resolve({ exitCode, stdout: chunks.stdout, stderr: chunks.stderr + problem })
    }
    child.on("error", (error) => finish(127, String(error)))
    child.on("close", (code) => finish(stopped ? 124 : (code ?? 1), stopped ? `${program} was stopped` : ""))
  })
