import { existsSync, rmSync } from "node:fs"
import { join, resolve } from "node:path"
import type { Backend, Change, CommandFailure, InstallOptions, Installed, Outcome, Pending, Wanted } from "./Backend.ts"
import { classify } from "./Backend.ts"
import { aptEnvironment, aptOptions } from "./aptRoot.ts"
import type { CommandResult } from "./runCommand.ts"
import { runCommand } from "./runCommand.ts"

/** The deadlines the agents have from 2.4 on. */
const refreshMs = 300_000
const operationMs = 1_800_000
const quickMs = 60_000

const failed = (command: string, result: CommandResult): CommandFailure => ({
  errorCode:
    result.exitCode === 124 ? "TIMEOUT" : result.exitCode === 127 ? "COMMAND_NOT_FOUND" : classify(result.stderr),
  message: `${command} failed (exit ${result.exitCode}): ${result.stderr.trim()}`,
  exitCode: result.exitCode,
  stdout: result.stdout,
  stderr: result.stderr
})

/** The machine's real apt and dpkg, working on a root directory of their own. */
export class AptBackend implements Backend {
  readonly kind = "apt"
  readonly family = "apt"
  private readonly root: string

  constructor(root: string) {
    this.root = resolve(root)
  }

  private apt(program: "apt" | "apt-get", args: ReadonlyArray<string>, deadlineMs: number, signal?: AbortSignal) {
    return runCommand(program, [...aptOptions(this.root), ...args], {
      deadlineMs,
      env: aptEnvironment(this.root),
      ...(signal === undefined ? {} : { signal })
    })
  }

  async installed(): Promise<ReadonlyArray<Installed>> {
    const format =
      "${db:Status-Status}\\t${Package}\\t${Version}\\t${Architecture}\\t${Installed-Size}\\t${Depends}\\t${binary:Summary}\\n"
    const result = await runCommand("dpkg-query", [`--admindir=${this.root}/var/lib/dpkg`, "-W", "-f", format], {
      deadlineMs: quickMs
    })
    return result.stdout.split("\n").flatMap((line) => {
      const [status, name, version, arch, size, depends, description] = line.split("\t")
      if (status !== "installed" || name === undefined || version === undefined) return []
      return [
        {
          name,
          version,
          arch: arch ?? "all",
          sizeKb: Number(size) || 0,
          description: description ?? "",
          dependencies: (depends ?? "").split(",").flatMap((one) => one.trim().split(/[ |(:]/)[0] || [])
        }
      ]
    })
  }

  async pending(): Promise<ReadonlyArray<Pending>> {
    const result = await this.apt("apt", ["list", "--upgradable"], quickMs)
    if (result.exitCode !== 0) throw new Error(failed("apt list", result).message)
    return result.stdout.split("\n").flatMap((line) => {
      const match = /^([^/\s]+)\/\S+ (\S+) (\S+) \[upgradable from: ([^\]]+)\]/.exec(line)
      if (match === null) return []
      const [, name = "", available = "", arch = "", current = ""] = match
      return [{ name, current, available, arch }]
    })
  }

  async available(names: ReadonlyArray<string>): Promise<ReadonlyMap<string, ReadonlyArray<string>>> {
    const found = new Map<string, Array<string>>(names.map((name) => [name, []]))
    const result = await this.apt("apt", ["list", "--all-versions", ...names], quickMs)
    for (const line of result.stdout.split("\n")) {
      const [, name, suites, version] = /^([^/\s]+)\/(\S+) (\S+) /.exec(line) ?? []
      // `now` alone is what is installed and in no archive any more.
      if (name !== undefined && version !== undefined && suites !== "now") found.get(name)?.push(version)
    }
    return found
  }

  async refresh(): Promise<CommandFailure | undefined> {
    const result = await this.apt("apt-get", ["update"], refreshMs)
    return result.exitCode === 0 ? undefined : failed("apt-get", result)
  }

  private async versions(): Promise<ReadonlyMap<string, string>> {
    return new Map((await this.installed()).map((one) => [one.name, one.version]))
  }

  /** Runs the commands in order and reads from dpkg what they changed, also when one of them failed. */
  private async change(commands: ReadonlyArray<ReadonlyArray<string>>, signal: AbortSignal): Promise<Outcome> {
    const before = await this.versions()
    let failure: CommandFailure | undefined
    for (const command of commands) {
      const result = await this.apt("apt-get", command, operationMs, signal)
      if (result.exitCode !== 0) {
        failure = failed("apt-get", result)
        break
      }
    }
    const after = await this.versions()
    const changes: Array<Change> = [...new Set([...before.keys(), ...after.keys()])]
      .map((name) => ({ name, from: before.get(name) ?? null, to: after.get(name) ?? null }))
      .filter((change) => change.from !== change.to)
    return failure === undefined ? { changes } : { changes, failure }
  }

  upgrade(names: ReadonlyArray<string> | undefined, signal: AbortSignal): Promise<Outcome> {
    return names === undefined
      ? this.change(
          [
            ["-y", "-f", "install"],
            ["-y", "dist-upgrade"]
          ],
          signal
        )
      : this.change([["-y", "install", "--", ...names]], signal)
  }

  install(wanted: ReadonlyArray<Wanted>, options: InstallOptions, signal: AbortSignal): Promise<Outcome> {
    const flags = [
      ...(options.noRecommends ? ["--no-install-recommends"] : []),
      ...(options.allowDowngrades ? ["--allow-downgrades"] : [])
    ]
    const targets = wanted.map(({ name, version }) => (version === null ? name : `${name}=${version}`))
    return this.change([["-y", ...flags, "install", "--", ...targets]], signal)
  }

  remove(name: string, signal: AbortSignal): Promise<Outcome> {
    return this.change([["-y", "remove", "--", name]], signal)
  }

  private marker(): string {
    return join(this.root, "var/run/reboot-required")
  }

  rebootRequired(): boolean {
    return existsSync(this.marker())
  }

  clearRebootRequired(): void {
    rmSync(this.marker(), { force: true })
  }
}
