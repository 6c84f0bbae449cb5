import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { FleetControl } from "./FleetControl.ts"
import { fork } from "node:child_process"
import { readFileSync } from "node:fs"
import { rawCall } from "./rawCall.ts"
import { TestCa } from "./testCa.ts"

const residentMiB = (pid: number): number =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024)

/** What a fleet of its own process weighs: with certificates, and after every host was asked once for health and patches. */
const measure = async (count: number): Promise<Readonly<Record<string, number>>> => {
  const dir = await mkdtemp(join(tmpdir(), "fleet-memory-"))
  const socket = join(dir, "control.sock")
  const main = new URL("./main.ts", import.meta.url).pathname
  const child = fork(main, ["--dir", dir, "--port", "0", "--control", socket, "--fleet", String(count)], {
    execArgv: [],
    stdio: ["ignore", "pipe", "inherit", "ipc"]
  })
  try {
    const port = await new Promise<number>((resolve) => {
      child.stdout?.once("data", (chunk: Buffer) => resolve((JSON.parse(chunk.toString()) as { port: number }).port))
    })
    const pid = child.pid ?? 0
    const control = new FleetControl(socket)
    const atStart = residentMiB(pid)
    const ca = await TestCa.make()
    const client = await ca.client()
    await control.setCa(ca.certificatePem)
    const hosts = await control.hosts()
    for (let i = 0; i < hosts.length; i += 500) {
      const some = hosts.slice(i, i + 500)
      await control.setIdentities(
        await Promise.all(some.map(async (host) => ({ address: host.address, ...(await ca.hostOnSharedKey(host)) })))
      )
    }
    const withCertificates = residentMiB(pid)
    const left = hosts.map((host) => host.address)
    const sweep = async () => {
      for (let address = left.pop(); address !== undefined; address = left.pop()) {
        for (const path of ["/api/v1/health", "/api/v1/patches"]) {
          await rawCall({ address, port, ca: ca.certificatePem, client, path })
        }
      }
    }
    await Promise.all(Array.from({ length: 32 }, sweep))
    const afterSweep = residentMiB(pid)
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    return {
      hosts: count,
      rss_start_mib: atStart,
      rss_with_certificates_mib: withCertificates,
      rss_after_sweep_mib: afterSweep,
      rss_at_rest_mib: residentMiB(pid)
    }
  } finally {
    child.kill("SIGTERM")
    await new Promise((resolve) => child.once("exit", resolve))
    await rm(dir, { recursive: true, force: true })
  }
}

const limitsMiB: Readonly<Record<number, number>> = { 2_500: 400, 10_000: 1_024 }

/** Prints the memory of fleets, one JSON line each, and fails when one is over its limit: `memory.ts --fleet 2500,10000`. */
const main = async (): Promise<void> => {
  const { values } = parseArgs({ options: { fleet: { type: "string", default: "2500,10000" } } })
  for (const count of values.fleet.split(",").map(Number)) {
    const figures = await measure(count)
    process.stdout.write(`${JSON.stringify(figures)}\n`)
    if ((figures["rss_at_rest_mib"] ?? 0) > (limitsMiB[count] ?? Number.POSITIVE_INFINITY)) process.exitCode = 1
  }
}

await main()
