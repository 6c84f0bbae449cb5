import { assert, describe, it } from "@effect/vitest"
import { once } from "node:events"
import { chmodSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs"
import { createServer, type AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ownDataDirectory } from "#deploy/start/ownDataDirectory.ts"
import { refuseTakenPort } from "#deploy/start/refuseTakenPort.ts"

const refusal = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "",
    (error: Error) => error.message
  )

describe("one instance per data directory", () => {
  it("names the running one to the second, whichever path leads there, and lets go at its end", async () => {
    const base = mkdtempSync(join(tmpdir(), "pm-own-"))
    const dataDir = join(base, "a", "data")
    const letGo = await ownDataDirectory(dataDir, "https://localhost:8443")
    assert.strictEqual(statSync(dataDir).mode & 0o777, 0o711)
    symlinkSync(join(base, "a"), join(base, "link"))
    const message = await refusal(ownDataDirectory(join(base, "link", "data"), "https://localhost:9999"))
    assert.match(message, new RegExp(`running instance \\(process ${process.pid}, https://localhost:8443\\)`))
    letGo()
    const again = await ownDataDirectory(dataDir, "https://localhost:8443")
    again()
    rmSync(base, { recursive: true, force: true })
  })

  it("says in one sentence that it may not write there", async () => {
    const base = mkdtempSync(join(tmpdir(), "pm-own-"))
    chmodSync(base, 0o500)
    // Root may write anywhere except where nobody can.
    const place = process.getuid?.() === 0 ? "/proc/1/data" : join(base, "data")
    const message = await refusal(ownDataDirectory(place, "x"))
    assert.include(message, place)
    assert.notInclude(message, "\n")
    rmSync(base, { recursive: true, force: true })
  })
})

describe("a taken port", () => {
  it("is told with the flag that chooses another", async () => {
    const server = createServer().listen(0, "127.0.0.1")
    await once(server, "listening")
    const { port } = server.address() as AddressInfo
    const message = await refusal(refuseTakenPort("127.0.0.1", port, "agent-port", 0))
    assert.strictEqual(
      message,
      `Port ${port} on 127.0.0.1 is taken by another program: stop it, or choose another port with --agent-port.`
    )
    const waiting = refuseTakenPort("127.0.0.1", port, "port", 5_000)
    server.close()
    await waiting
  })

  it("is not confused with an address this machine does not have", async () => {
    assert.match(await refusal(refuseTakenPort("192.0.2.1", 8443, "port", 0)), /192\.0\.2\.1 is not an address of this/)
  })
})
