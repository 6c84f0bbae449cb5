/** A web process of its own, as in production, that can be asked how much memory it holds after a collection. */
import { type ChildProcess, fork } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, ManagedRuntime } from "effect"
import { WebSocket } from "ws"
import { ensureAuthority } from "#actors/pki/ensureAuthority.ts"
import type { Role } from "#core/Permission.ts"
import { projectRoot } from "#deploy/projectRoot.ts"
import { createUser } from "#http/server/createUser.ts"
import { ensureSigningKey } from "#http/server/signingKeyFile.ts"
import { layer as databaseLayer } from "#sql/Database.ts"
import { freePort } from "#test/harness/startWeb.ts"
import { makeTestDatabase } from "#test/setup/Database.ts"
import { mintSession } from "#test/setup/mintSession.ts"
import { testClient } from "#test/setup/testClient.ts"

/** Node's inspector: the one way to have a process collect that was not built to be asked. */
const inspect = async (url: string) => {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject))
  const waiting = new Map<number, (result: unknown) => void>()
  let last = 0
  socket.on("message", (data) => {
    const { id, result } = JSON.parse(String(data)) as { id?: number; result?: unknown }
    if (id !== undefined) waiting.get(id)?.(result)
  })
  const ask = (method: string, params: object = {}): Promise<unknown> =>
    new Promise((resolve) => {
      const id = ++last
      waiting.set(id, resolve)
      socket.send(JSON.stringify({ id, method, params }))
    })
  const heapBytes = async (): Promise<number> => {
    for (let n = 0; n < 3; n++) await ask("HeapProfiler.collectGarbage")
    const { usedSize } = (await ask("Runtime.getHeapUsage")) as { usedSize: number }
    return usedSize
  }
  return { heapBytes, close: () => socket.close() }
}

export const startFuzzWeb = async () => {
  const database = await makeTestDatabase()
  const folder = mkdtempSync(join(tmpdir(), "pm-fuzz-"))
  const secrets = join(folder, "secrets")
  const consoleDirectory = join(folder, "console")
  mkdirSync(join(consoleDirectory, "assets"), { recursive: true })
  writeFileSync(join(consoleDirectory, "index.html"), "<!doctype html><title>console</title>")
  const files = await Effect.runPromise(ensureAuthority(secrets))
  const jwtKeyFile = join(secrets, "jwt.ed25519.pem")
  await ensureSigningKey(jwtKeyFile)
  writeFileSync(join(secrets, "web.key.pem"), files.web.private_key_pem, { mode: 0o600 })
  writeFileSync(join(secrets, "web.pem"), files.web.certificate_pem)
  const port = await freePort()
  const publicUrl = `https://localhost:${port}`
  const log: Array<string> = []
  const child: ChildProcess = fork(join(projectRoot, "deploy", "web.ts"), {
    env: {
      PATH: process.env["PATH"],
      PATCH_MANAGER__DATA_DIR: folder,
      PATCH_MANAGER__DATABASE__URL: database.url,
      PATCH_MANAGER__DATABASE__SINGLE_ROLE: "true",
      PATCH_MANAGER__WEB__PORT: String(port),
      PATCH_MANAGER__WEB__PUBLIC_URL: publicUrl,
      PATCH_MANAGER__WEB__CONSOLE_DIR: consoleDirectory,
      PATCH_MANAGER__WEB__RATE_FACTOR: "1000",
      PATCH_MANAGER__LOG__LEVEL: "error",
      PATCH_MANAGER__LOG__FORMAT: "json"
    },
    execArgv: ["--inspect=127.0.0.1:0"],
    stdio: ["ignore", "pipe", "pipe", "ipc"]
  })
  child.stdout?.setEncoding("utf8").on("data", (text: string) => log.push(text))
  const inspectorUrl = new Promise<string>((resolve) =>
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      log.push(text)
      const url = /ws:\/\/\S+/.exec(text)?.[0]
      if (url !== undefined) resolve(url)
    })
  )
  const ended = new Promise<string>((resolve) => child.once("exit", (code, signal) => resolve(signal ?? String(code))))
  await Promise.race([
    new Promise<void>((resolve) => child.once("message", () => resolve())),
    ended.then((how) => Promise.reject(new Error(`The web process ended before it was ready: ${how} ${log.join("")}`)))
  ])
  const inspector = await inspect(await inspectorUrl)
  const runtime = ManagedRuntime.make(databaseLayer({ url: database.url, applicationName: "fuzz", maxConnections: 2 }))
  const client = testClient(database.url)
  await client.connect()
  return {
    port,
    ca: files.ca.certificate_pem,
    log,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    heapBytes: inspector.heapBytes,
    rows: async <Row>(statement: string): Promise<ReadonlyArray<Row>> => (await client.query(statement)).rows,
    addUser: (username: string, role: Role) =>
      runtime.runPromise(
        createUser({ username, displayName: username, role, password: "correct horse battery staple" })
      ),
    tokenOf: async (username: string) =>
      (await runtime.runPromise(mintSession({ jwtKeyFile, publicUrl }, username))).token,
    stop: async () => {
      inspector.close()
      child.kill("SIGKILL")
      await ended
      await client.end()
      await runtime.dispose()
      await database.drop()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
