import { afterAll, assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { isRunning, until } from "#deploy/postgres/processes.ts"
import { type ChildOptions, superviseChild } from "#deploy/start/superviseChild.ts"

const folder = mkdtempSync(join(tmpdir(), "pm-child-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const script = (name: string, text: string): string => {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

const obedient = script("obedient.mjs", `process.send({ type: "ready" }); setInterval(() => undefined, 1000)`)
const deaf = script(
  "deaf.mjs",
  `process.on("SIGTERM", () => undefined); process.send({ type: "ready" }); setInterval(() => undefined, 1000)`
)
const hanging = script("hanging.mjs", `process.send({ type: "ready" }); setTimeout(() => { for (;;); }, 50)`)

const logged: Array<string> = []
const options = (file: string, more: Partial<ChildOptions> = {}): ChildOptions => ({
  name: "web",
  file,
  args: [],
  environment: {},
  readyBy: "message",
  readyMs: 10_000,
  stopMs: 5_000,
  firstBackOffMs: 20,
  log: (_level, message) => logged.push(message),
  ...more
})

const refusal = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "",
    (error: Error) => error.message
  )

describe("a supervised process", () => {
  it("is started again each time it ends by itself, and not after stop", async () => {
    const child = await superviseChild(options(obedient))
    for (let round = 0; round < 2; round += 1) {
      const pid = child.pid() ?? 0
      process.kill(pid, "SIGKILL")
      assert.isTrue(await until(() => child.pid() !== pid && isRunning(child.pid() ?? 0), 5_000))
    }
    const last = child.pid() ?? 0
    await child.stop()
    assert.isFalse(isRunning(last))
    assert.isTrue(logged.some((line) => line.includes("starting it again in 0.02 s")))
    assert.isTrue(logged.some((line) => line.includes("starting it again in 0.04 s")))
  })

  it("fails the start when it ends before it is ready", async () => {
    const file = script("broken.mjs", "process.exit(3)")
    assert.match(await refusal(superviseChild(options(file))), /web process ended \(exit code 3\) before it was ready/)
  })

  it("fails the start when it never gets ready, and is gone then", async () => {
    const marker = join(folder, "pid")
    const text = `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(marker)}, String(process.pid)); setInterval(() => 0, 1000)`
    const message = await refusal(superviseChild(options(script("mute.mjs", text), { readyMs: 1_000 })))
    assert.match(message, /was not ready after 1 s/)
    assert.isTrue(existsSync(marker))
    assert.isFalse(isRunning(Number(readFileSync(marker, "utf8"))))
  })

  it("is killed when it does not stop in time", async () => {
    const child = await superviseChild(options(deaf, { stopMs: 200 }))
    const pid = child.pid() ?? 0
    await child.stop()
    assert.isFalse(isRunning(pid))
    assert.isTrue(logged.some((line) => line.includes("did not stop within 0.2 s and was killed")))
  })

  it("is given up when a stop is asked for before it is ready", async () => {
    const controller = new AbortController()
    const file = script("slow.mjs", "setInterval(() => undefined, 1000)")
    const starting = refusal(superviseChild(options(file, { signal: controller.signal })))
    controller.abort()
    assert.match(await starting, /was stopped/)
  })

  it("dies with its parent, however the parent ends and whatever the process does", async () => {
    const parent = script(
      "parent.mjs",
      `import { superviseChild } from ${JSON.stringify(join(import.meta.dirname, "../../deploy/start/superviseChild.ts"))}
      const child = await superviseChild({ name: "web", file: ${JSON.stringify(hanging)}, args: [], environment: {},
        readyBy: "message", readyMs: 10000, stopMs: 1000, log: () => undefined })
      process.stdout.write(String(child.pid()))`
    )
    const process_ = spawn(process.execPath, [parent], { stdio: ["ignore", "pipe", "inherit"] })
    const [pid] = await once(process_.stdout, "data")
    assert.isTrue(isRunning(Number(String(pid))))
    process_.kill("SIGKILL")
    assert.isTrue(await until(() => !isRunning(Number(String(pid))), 5_000))
  })
})
