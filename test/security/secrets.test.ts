/** Where secrets may stand when the product starts, and where they may not. */
import { execFile } from "node:child_process"
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect } from "vitest"
import { projectRoot } from "#deploy/projectRoot.ts"
import { spawnWeb } from "#test/harness/spawnWeb.ts"
import { makeWorld } from "#test/harness/World.ts"
import { securityRow } from "./securityRow.ts"

const canary = "canary-database-password-7Qx"

const run = (
  entry: string,
  args: ReadonlyArray<string>,
  variables: Record<string, string>
): Promise<{ readonly code: number; readonly text: string }> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(projectRoot, "deploy", entry), ...args],
      { env: { PATH: process.env["PATH"] ?? "", ...variables }, timeout: 60_000 },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code ?? 1), text: stdout + stderr })
    )
  })

securityRow("S87", "secrets in the environment, on the command line and in files", async (row) => {
  const folder = mkdtempSync(join(tmpdir(), "pm-secrets-"))
  row.after(() => rmSync(folder, { recursive: true, force: true }))
  const url = `postgresql://web:${canary}@127.0.0.1:1/x`
  const dataDir = { PATCH_MANAGER__DATA_DIR: join(folder, "data") }
  await row.assert(
    "a secret in the environment: start, web, worker and command line refuse, and do not print it",
    async () => {
      for (const [entry, args, variable] of [
        ["start.ts", [], "PATCH_MANAGER__DATABASE__URL"],
        ["web.ts", [], "PATCH_MANAGER__DATABASE__WEB_URL"],
        ["worker.ts", [], "PATCH_MANAGER__DATABASE__WORKER_URL"],
        ["cli.ts", ["audit", "key"], "PATCH_MANAGER__DATABASE__URL"]
      ] as const) {
        const { code, text } = await run(entry, args, { ...dataDir, [variable]: url })
        expect([entry, code]).not.toEqual([entry, 0])
        expect(text).toContain("holds a password")
        expect(text).toContain("file:/path/of/that/file")
        expect(text).not.toContain(canary)
      }
    }
  )
  await row.assert("the same on the command line", async () => {
    const { code, text } = await run("start.ts", ["--database-url", url], dataDir)
    expect(code).not.toBe(0)
    expect(text).toContain("holds a password")
    expect(text).not.toContain(canary)
  })
  await row.assert("a file that others may read is refused", async () => {
    const file = join(folder, "open-url")
    writeFileSync(file, url)
    chmodSync(file, 0o644)
    const { code, text } = await run("start.ts", ["--database-url", `file:${file}`], dataDir)
    expect(code).not.toBe(0)
    expect(text).toContain("others than its owner may read")
    expect(text).not.toContain(canary)
  })
  await row.assert(
    "from a file of its owner alone a process runs, and its environment shows nothing of it",
    async () => {
      const world = await makeWorld({ count: 1 })
      row.after(world.stop)
      const file = join(folder, "private-url")
      // The socket lets its own user in and asks for no password, so this one may be anything.
      const withCanary = new URL(world.url)
      withCanary.searchParams.set("password", canary)
      writeFileSync(file, withCanary.href, { mode: 0o600 })
      const web = await spawnWeb({ ...world, url: `file:${file}` })
      row.after(web.stop)
      expect(await web.call<{ role: string }>("GET", "/api/v1/auth/me")).toMatchObject({ role: "admin" })
      const { pid } = web.child()
      for (const what of ["environ", "cmdline"])
        expect(readFileSync(`/proc/${pid}/${what}`, "utf8")).not.toContain(canary)
    }
  )
  await row.assert("keys that the product makes for itself are files of its owner alone", async () => {
    const world = await makeWorld({ count: 1 })
    row.after(world.stop)
    const web = await spawnWeb(world)
    row.after(web.stop)
    for (const name of ["ca.key.pem", "jwt.ed25519.pem", "column.key"]) {
      expect([name, (statSync(join(world.secretsDir, name)).mode & 0o777).toString(8)]).toEqual([name, "600"])
    }
  })
})
