import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { createServer } from "node:net"
import { once } from "node:events"
import { join } from "node:path"
import { until } from "#deploy/postgres/processes.ts"
import { type BareMachine, makeBareMachine } from "./bareMachine.ts"
import { freePort, get, npm, npmStart, processesOf, type Running, untilRunning } from "./Product.ts"

interface Item {
  readonly summary: string
  readonly pending: number | null
}

const accounts =
  process.getuid?.() === 0 ? ["root", process.env["PATCH_MANAGER_TEST_USER"] ?? "nobody"] : [process.env["USER"] ?? ""]

const report = (what: string, seconds: number): void => console.log(`${what}: ${seconds.toFixed(1)} s`)

describe.each(accounts)("npm start in a fresh clone as %s", (account) => {
  let machine: BareMachine
  let port = 0
  let flags: ReadonlyArray<string> = []
  let running: Running
  let token = ""
  const address = (): string => `https://localhost:${port}`
  const file = (name: string): string => join(machine.checkout, ".data", name)
  const caFile = (): string => file("ca.crt")

  const startAgain = async (): Promise<number> => {
    running = npmStart(machine, ...flags)
    return untilRunning(running, address(), 30)
  }
  const hosts = async (): Promise<ReadonlyArray<Item>> => {
    const { text } = await get(address(), caFile(), "/api/v1/hosts?limit=500", token)
    return (JSON.parse(text) as { readonly items: ReadonlyArray<Item> }).items
  }
  const leftovers = (): ReadonlyArray<string> => processesOf(machine.folder).map(({ command }) => command)

  beforeAll(async () => {
    machine = makeBareMachine(account)
    port = await freePort()
    flags = ["--port", String(port), "--agent-port", String(await freePort())]
  })

  afterAll(() => {
    for (const { pid } of processesOf(machine.folder)) process.kill(pid, "SIGKILL")
    machine.remove()
  })

  it("brings up the console within 120 s and 25 healthy hosts 15 s later", async () => {
    running = npmStart(machine, ...flags)
    const seconds = await untilRunning(running, address(), 120)
    const began = performance.now()
    report(`${account}: first start, installation included`, seconds)
    console.log(
      running
        .output()
        .match(/^(?:Installed|Built).*$/gm)
        ?.join(" ")
    )
    const page = await get(address(), caFile(), "/")
    assert.strictEqual(page.status, 200)
    assert.include(page.text, "<title>")
    const create = "run --silent cli -- token create --user admin --name ci --expires 1d --data-dir"
    const made = await npm(machine, ...create.split(" "), file(""))
    assert.match(made.output, /^\S{20,}\n$/)
    token = made.output.trim()
    const healthy = await until(
      async () => {
        const items = await hosts()
        return items.length === 25 && items.every((item) => item.summary === "healthy" && item.pending !== null)
      },
      Math.max(1, 15_000 - (performance.now() - began)),
      250
    )
    report(`${account}: 25 hosts healthy after`, (performance.now() - began) / 1_000)
    assert.isTrue(healthy, JSON.stringify((await hosts()).map((item) => [item.summary, item.pending])))
    assert.isTrue((await hosts()).some((item) => (item.pending ?? 0) > 0))
  })

  it("prints the CA, its fingerprint and the first password once, and keeps what is secret to itself", () => {
    const text = running.output()
    assert.match(text, /CA certificate: .*ca\.crt\n\s+SHA-256: (?:[0-9A-F]{2}:){31}[0-9A-F]{2}\n/)
    const password = readFileSync(file("initial-admin-password"), "utf8").trim()
    assert.strictEqual(text.split(password).length - 1, 1)
    assert.strictEqual(statSync(file("initial-admin-password")).mode & 0o777, 0o600)
    assert.strictEqual(statSync(file("secrets")).mode & 0o777, 0o700)
  })

  it("refuses a second one on the same data, a taken port and a lost option, each in a sentence", async () => {
    const second = await npm(machine, "--silent", "start", "--", "--port", String(await freePort()))
    assert.notStrictEqual(second.code, 0)
    assert.match(second.output, /^The data directory .* belongs to a running instance \(process \d+, https.*\n$/)

    const other = createServer().listen(0, "127.0.0.1")
    await once(other, "listening")
    const taken = other.address()
    const takenPort = typeof taken === "object" ? String(taken?.port) : ""
    const third = await npm(
      machine,
      "--silent",
      "start",
      "--",
      "--port",
      takenPort,
      "--data-dir",
      join(machine.folder, "home/d")
    )
    assert.notStrictEqual(third.code, 0)
    assert.match(third.output, /^Port \d+ on 127\.0\.0\.1 is taken by another program.*--port\.\n$/)
    other.close()

    const lost = await npm(machine, "--silent", "start", "--port", "9000")
    assert.notStrictEqual(lost.code, 0)
    assert.match(lost.output, /write: npm start -- --port 9000\n$/)
  })

  it("leaves no process behind after SIGTERM", async () => {
    running.child.kill("SIGTERM")
    const code = await running.ended
    assert.include(running.output(), "Stopped; nothing is left running.")
    assert.strictEqual(code, 0)
    assert.deepEqual(leftovers(), [])
  })

  it("takes up within 8 s where it left off, without the password", async () => {
    const seconds = await startAgain()
    report(`${account}: later start`, seconds)
    assert.isAtMost(seconds, 8)
    assert.notInclude(running.output(), "First administrator")
    assert.strictEqual((await hosts()).length, 25)
  })

  it("is adopted by the next start after everything from npm down to the supervisor was killed", async () => {
    const victims = processesOf(machine.folder).filter(({ command }) =>
      /npm start|bootstrap\.mjs start|start\.mjs/.test(command)
    )
    assert.isAtLeast(victims.length, 3)
    for (const { pid } of victims) process.kill(pid, "SIGKILL")
    assert.isTrue(
      await until(() => leftovers().every((command) => command.includes("postgres")), 5_000),
      leftovers().join("\n")
    )
    report(`${account}: start after a kill`, await startAgain())
    assert.strictEqual((await hosts()).length, 25)
  })

  it("stops when npm alone is killed, which cannot pass it on", async () => {
    running.child.kill("SIGKILL")
    assert.isTrue(await until(() => leftovers().length === 0, 30_000), leftovers().join("\n"))
  })

  it("keeps a private folder private, or says in a sentence why it cannot use it", async () => {
    const closed = join(machine.folder, "closed")
    mkdirSync(closed, { mode: 0o700 })
    running = npmStart(machine, ...flags, "--fleet", "0", "--data-dir", closed)
    if (account === "root") {
      await untilRunning(running, address(), 30)
      const [, place = ""] = /so the database files are in (.*)\.\n/.exec(running.output()) ?? []
      assert.isTrue(existsSync(join(place, "data", "PG_VERSION")))
      running.child.kill("SIGINT")
      await running.ended
      assert.deepEqual(leftovers(), [])
      rmSync(place, { recursive: true })
    } else if (machine.ids.uid !== undefined) {
      assert.notStrictEqual(await running.ended, 0)
      assert.match(running.output(), /No permission to write in .*closed.*--data-dir/)
    } else {
      await untilRunning(running, address(), 30)
      running.child.kill("SIGINT")
      await running.ended
      assert.deepEqual(leftovers(), [])
    }
  })
})
