import { afterAll, assert, describe, it } from "@effect/vitest"
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { databaseAccount } from "#deploy/postgres/databaseAccount.ts"
import { ping } from "#deploy/postgres/ping.ts"
import { isRunning, processesIn, until } from "#deploy/postgres/processes.ts"
import { fits, socketName } from "#deploy/postgres/socketDirectory.ts"
import { type RunningPostgres, startPostgres } from "#deploy/postgres/startPostgres.ts"
import { parseDatabaseUrl } from "#sql/DatabaseUrl.ts"
import { testClient } from "#test/setup/testClient.ts"

const base = mkdtempSync(join(tmpdir(), "pm-postgres-test-"))
chmodSync(base, 0o755)
const running = new Set<RunningPostgres>()

const start = async (folder: string): Promise<RunningPostgres> => {
  const server = await startPostgres({ folder, durability: "durable", mayCreateAccount: false })
  running.add(server)
  return server
}

const query = async (url: string, text: string): Promise<ReadonlyArray<Record<string, unknown>>> => {
  const client = testClient(url)
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

const refusal = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "",
    (error: Error) => error.message
  )

afterAll(async () => {
  for (const server of running) await server.stop()
  rmSync(base, { recursive: true, force: true })
})

describe("the embedded PostgreSQL", () => {
  it("is made at the first start, adopted while it runs, and leaves no process when stopped", async () => {
    const folder = join(base, "first")
    const first = await start(folder)
    assert.isFalse(first.adopted)
    const second = await start(folder)
    assert.isTrue(second.adopted)
    assert.strictEqual(second.pid, first.pid)

    const settings = await query(
      first.url,
      `select name, setting from pg_settings where name in
        ('listen_addresses', 'fsync', 'synchronous_commit', 'unix_socket_permissions', 'data_checksums')`
    )
    const values = Object.fromEntries(settings.map((row) => [row["name"], row["setting"]]))
    assert.deepEqual(values, {
      listen_addresses: "",
      fsync: "on",
      synchronous_commit: "on",
      unix_socket_permissions: "0700",
      data_checksums: "on"
    })
    assert.strictEqual(statSync(join(folder, "run")).mode & 0o777, 0o700)
    assert.strictEqual(statSync(join(folder, "data")).uid, first.account.uid)
    assert.notStrictEqual(first.account.uid, 0)

    assert.isNotEmpty(processesIn(join(folder, "data")))
    await second.stop()
    assert.isTrue(await until(() => processesIn(join(folder, "data")).length === 0, 5_000))
  })

  it("is started once when three start it at the same moment", async () => {
    const folder = join(base, "race")
    const servers = await Promise.all([start(folder), start(folder), start(folder)])
    assert.strictEqual(servers.filter((server) => !server.adopted).length, 1)
    assert.strictEqual(new Set(servers.map((server) => server.pid)).size, 1)
  })

  it("comes back with everything committed after it was killed, started again at once", async () => {
    const folder = join(base, "killed")
    const first = await start(folder)
    await query(first.url, "create table kept (id int)")
    await query(first.url, "insert into kept values (42)")
    process.kill(first.pid, "SIGKILL")
    const second = await start(folder)
    assert.isFalse(second.adopted)
    assert.deepEqual(await query(second.url, "select id from kept"), [{ id: 42 }])
  })

  it("starts although its pid file names a process that lives", async () => {
    const folder = join(base, "stale")
    const first = await start(folder)
    const pidFile = join(folder, "data", "postmaster.pid")
    const text = readFileSync(pidFile, "utf8")
    await first.stop()
    const other = spawn("sleep", ["60"], { ...first.account.ids, cwd: "/", stdio: "ignore" })
    try {
      writeFileSync(pidFile, text.replace(/^\d+/, String(other.pid)))
      const second = await start(folder)
      assert.isFalse(second.adopted)
      assert.isTrue(isRunning(other.pid ?? 0))
    } finally {
      other.kill("SIGKILL")
      await once(other, "exit")
    }
  })

  it("starts over when an earlier start was killed while it made the files", async () => {
    const folder = join(base, "half")
    mkdirSync(join(folder, "data.new"), { recursive: true })
    writeFileSync(join(folder, "data.new", "PG_VERSION"), "18\n")
    await start(folder)
    assert.isFalse(existsSync(join(folder, "data.new")))
  })

  it("refuses the files of another major version in a sentence that shows the way out", async () => {
    const folder = join(base, "old")
    const first = await start(folder)
    await first.stop()
    writeFileSync(join(folder, "data", "PG_VERSION"), "16\n")
    assert.match(await refusal(start(folder)), /made by PostgreSQL 16 and this release brings 18.*--database-url/)
  })

  it("puts its socket into a short folder where the path is too long for one, counted in bytes", async () => {
    const folder = join(base, "ü".repeat(45))
    assert.isFalse(fits(join(folder, "run")))
    const server = await start(folder)
    const path = parseDatabaseUrl(server.url).path ?? ""
    assert.isTrue(path.endsWith(socketName))
    assert.isAtMost(Buffer.byteLength(path), 107)
    assert.deepEqual(await query(server.url, "select 1 as one"), [{ one: 1 }])
    await server.stop()
    rmSync(path.slice(0, -socketName.length), { recursive: true, force: true })
  })

  it("runs as the owner of existing files, else as an account that is not root", () => {
    const owned = join(base, "owned")
    mkdirSync(owned)
    const account = databaseAccount(owned, false)
    assert.notStrictEqual(account.uid, 0)
    assert.strictEqual(spawnSync("id", ["-u", account.name], { encoding: "utf8" }).stdout.trim(), String(account.uid))
  })

  it("takes neither a silent nor a talkative stranger on its socket for a server", async () => {
    const folder = mkdtempSync(join(tmpdir(), "pm-ping-"))
    assert.deepEqual(await ping(folder, "patch_manager", "patch_manager"), { type: "silent" })
    const server = createServer((socket) =>
      socket.on("error", () => undefined).once("data", () => socket.write("HTTP/1.1 "))
    )
    server.listen(join(folder, socketName))
    await once(server, "listening")
    const answer = await ping(folder, "patch_manager", "patch_manager", 200)
    assert.notStrictEqual(answer.type, "ready")
    server.close()
    rmSync(folder, { recursive: true, force: true })
  })
})
