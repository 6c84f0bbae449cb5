import type { ChildProcess } from "node:child_process"
import { fork } from "node:child_process"
import { existsSync, statSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { FleetControl } from "./FleetControl.ts"
import type { Identity } from "./Misbehaviour.ts"
import { until } from "./makeTestFleet.ts"
import { rawCall } from "./rawCall.ts"
import { TestCa } from "./testCa.ts"

const main = new URL("./main.ts", import.meta.url).pathname
let dir: string
let children: Array<ChildProcess>
let ca: TestCa
let client: Identity

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "fleet-process-"))
  children = []
  ca = await TestCa.make()
  client = await ca.client()
})
afterEach(async () => {
  await Promise.all(children.map((child) => ended(child, () => child.kill("SIGKILL"))))
  await rm(dir, { recursive: true, force: true })
})

const ended = (child: ChildProcess, act: () => unknown): Promise<number | null> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve(child.exitCode)
    child.once("exit", resolve)
    act()
  })

const start = async (...args: ReadonlyArray<string>) => {
  const socket = join(dir, "control.sock")
  const child = fork(
    main,
    ["--dir", dir, "--port", "0", "--control", socket, "--fleet", "6", "--speed", "test", ...args],
    {
      execArgv: [],
      stdio: ["ignore", "pipe", "pipe", "ipc"]
    }
  )
  children.push(child)
  const output = { stdout: "", stderr: "" }
  child.stdout?.on("data", (chunk: Buffer) => {
    output.stdout += chunk.toString()
  })
  child.stderr?.on("data", (chunk: Buffer) => {
    output.stderr += chunk.toString()
  })
  await until(() => output.stdout.includes("\n") || child.exitCode !== null, Boolean, 10_000)
  const ready =
    output.stdout === "" ? undefined : (JSON.parse(output.stdout) as { readonly ready: boolean; readonly port: number })
  return { child, ready, output, control: new FleetControl(socket) }
}

describe("the fleet as a process", () => {
  it("says when it listens, takes certificates over its control socket and ends on SIGTERM", async () => {
    const { child, ready, control } = await start()
    expect(ready).toMatchObject({ ready: true, hosts: 6 })
    expect(statSync(join(dir, "control.sock")).mode & 0o777).toBe(0o600)
    const [host] = await control.hosts()
    if (host === undefined || ready === undefined) throw new Error("the fleet has no hosts")
    expect(host).toMatchObject({ address: "127.77.0.1", fqdn: "web-01.fra.example.test", has_identity: false })
    const call = (path: string, body?: unknown) =>
      rawCall({ address: host.address, port: ready.port, ca: ca.certificatePem, client, path, body })
    await expect(call("/api/v1/health")).rejects.toThrow()
    await control.setIdentity(host.address, { ...(await ca.host(host)), ca_pem: ca.certificatePem })
    expect((await call("/api/v1/health")).status).toBe(200)
    expect(statSync(join(dir, "hosts", host.address, "server.key.pem")).mode & 0o777).toBe(0o600)
    await control.misbehave(host.address, { kind: "server_error", times: 1 })
    expect((await call("/api/v1/health")).status).toBe(500)
    const published = await control.publish(host.address, "bash")
    expect(published).toMatchObject({ name: "bash" })
    await call("/api/v1/patches/apply", { packages: ["bash"] })
    await until(
      () => control.ledger(host.address),
      (ledger) => ledger.length === 1
    )
    expect((await control.stats()).handshakes).toBeGreaterThan(2)
    await control.setTiming(host.address, { jobMs: [60_000, 60_000] })
    const slow = await call("/api/v1/patches/apply", { packages: [] })
    await control.misbehaveAll({ kind: "refuse" })
    await expect(call("/api/v1/health")).rejects.toMatchObject({ code: "ECONNRESET" })
    await control.misbehaveAll()
    const { job_id: id } = (slow.json as { data: { job_id: string } }).data
    await until(
      async () => ((await call(`/api/v1/jobs/${id}`)).json as { data: { status: string } }).data.status,
      (status) => status === "running"
    )
    await expect(control.host("127.77.9.9")).rejects.toThrow("has no host 127.77.9.9")
    expect(await ended(child, () => child.kill("SIGTERM"))).toBe(0)
    expect(existsSync(join(dir, "control.sock"))).toBe(false)
  })

  it("comes back with its certificates, its packages and its boot times", async () => {
    const first = await start()
    const [host] = await first.control.hosts()
    if (host === undefined) throw new Error("the fleet has no hosts")
    await first.control.setIdentity(host.address, { ...(await ca.host(host)), ca_pem: ca.certificatePem })
    const call = (port: number, path: string, body?: unknown) =>
      rawCall({ address: host.address, port, ca: ca.certificatePem, client, path, body })
    const uptime = async (port: number) =>
      ((await call(port, "/api/v1/health")).json as { data: { uptime_seconds: number } }).data.uptime_seconds
    const before = await uptime(first.ready?.port ?? 0)
    await call(first.ready?.port ?? 0, "/api/v1/patches/apply", {})
    await until(
      () => first.control.ledger(),
      (ledger) => ledger.length === 1
    )
    await ended(first.child, () => first.child.kill("SIGTERM"))
    const second = await start()
    expect((await second.control.truth(host.address)).pending).toEqual([])
    expect(await uptime(second.ready?.port ?? 0)).toBeGreaterThanOrEqual(before)
  })

  it("ends with its parent", async () => {
    const { child } = await start()
    expect(await ended(child, () => child.disconnect())).toBe(0)
  })

  it("says in one sentence what is wrong", async () => {
    const first = await start()
    const second = await start("--port", String(first.ready?.port))
    expect(await ended(second.child, () => undefined)).toBe(1)
    expect(second.output.stderr).toContain("port is taken")
    const third = await start("--fleet", "many")
    expect(await ended(third.child, () => undefined)).toBe(1)
    expect(third.output.stderr).toContain("--fleet must be a whole number")
  })
})
