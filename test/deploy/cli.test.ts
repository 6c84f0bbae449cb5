import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { layer as databaseLayer } from "#sql/Database.ts"
import { insertUser } from "#sql/UserStore.ts"
import { makeTestDatabase, type TestDatabase } from "#test/setup/Database.ts"
import { testClient } from "#test/setup/testClient.ts"

const root = join(import.meta.dirname, "..", "..")
let database: TestDatabase

interface Result {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const cli = (environment: Record<string, string>, ...args: ReadonlyArray<string>): Promise<Result> =>
  new Promise((resolve) => {
    const env = { PATH: process.env["PATH"] ?? "", ...environment }
    execFile(process.execPath, [join(root, "deploy", "cli.ts"), ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr })
    )
  })

beforeAll(async () => {
  database = await makeTestDatabase()
  await Effect.runPromise(
    insertUser(
      { actor: { kind: "machine", id: "test", name: "test" }, request_id: "test", source_address: "local" },
      {
        username: "admin",
        display_name: "Administrator",
        role: "admin",
        password_hash: "unused",
        must_change_password: false
      }
    ).pipe(Effect.provide(databaseLayer({ url: database.url, applicationName: "test", maxConnections: 1 })))
  )
  return database.drop
})

describe("patch-manager token create", () => {
  it("prints the token and nothing else, and the database holds only its hash", async () => {
    const words = "token create --user admin --name ci --expires 1d".split(" ")
    const result = await cli({ PATCH_MANAGER__DATABASE__URL: database.url }, ...words)
    assert.deepEqual({ ...result, stdout: "" }, { code: 0, stdout: "", stderr: "" })
    assert.match(result.stdout, /^lpm_\S{40,}\n$/)
    const client = testClient(database.url)
    await client.connect()
    const { rows } = await client.query(
      "select name, token_hash, round(extract(epoch from expires_at - now()) / 3600) as hours from api_tokens"
    )
    await client.end()
    assert.lengthOf(rows, 1)
    assert.strictEqual(Number(rows[0].hours), 24)
    assert.notInclude(JSON.stringify(rows), result.stdout.trim())
  })

  it("says in one sentence what it does not understand or cannot do", async () => {
    const url = { PATCH_MANAGER__DATABASE__URL: database.url }
    const folder = mkdtempSync(join(tmpdir(), "pm-cli-"))
    const create = ["token", "create", "--user", "admin", "--name", "ci"]
    const cases: ReadonlyArray<readonly [Result, RegExp]> = [
      [await cli(url, "token", "make"), /^There is no command "token make".*--help/],
      [await cli(url, "token", "create", "--user", "admin"), /^Say for whom and what for/],
      [await cli(url, ...create, "--expires", "soon"), /^--expires soon is not understood: write 30m, 12h or 90d/],
      [await cli(url, ...create, "--permissions", "hosts:red"), /^There is no permission "hosts:red"/],
      [await cli(url, ...create, "--permissions", "account:change"), /^A token of admin cannot have account:change/],
      [await cli(url, ...create, "--usr", "x"), /^Unknown option '--usr'/],
      [await cli(url, "token", "create", "--user", "nobody", "--name", "ci"), /^There is no active user named nobody/],
      [await cli({}, ...create, "--data-dir", folder), /^No manager has run from/],
      [
        await cli({ PATCH_MANAGER__DATABASE__URL: `postgresql:///x?host=${folder}&user=x` }, ...create),
        /^The database of the manager .* is the manager running/
      ]
    ]
    for (const [result, sentence] of cases) {
      assert.notStrictEqual(result.code, 0)
      assert.strictEqual(result.stdout, "")
      assert.match(result.stderr, sentence)
      assert.match(result.stderr, /^[^\n]*\n$/)
    }
    rmSync(folder, { recursive: true })
  }, 60_000)
})
