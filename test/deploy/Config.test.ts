import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import { configEnvironment, describeConfig, loadConfig, type SettingTexts } from "#deploy/Config.ts"

const refusal = (given: SettingTexts, environment: NodeJS.ProcessEnv): string => {
  try {
    loadConfig(given, environment, "/somewhere")
    return ""
  } catch (error) {
    return error instanceof Error ? error.message : ""
  }
}

describe("the configuration", () => {
  it("takes the command line before the environment before the default", () => {
    const environment = { PATCH_MANAGER__WEB__PORT: "9001", PATCH_MANAGER__AGENT__PORT: "9002" }
    const config = loadConfig({ "web.port": "9000" }, environment, "/somewhere")
    assert.strictEqual(config.web.port, 9000)
    assert.strictEqual(config.web.publicUrl, "https://localhost:9000")
    assert.strictEqual(config.agent.port, 9002)
    assert.strictEqual(config.agent.concurrency, 64)
  })

  it("counts relative folders from the caller's directory, which npm hands down", () => {
    assert.strictEqual(loadConfig({ data_dir: "data" }, { INIT_CWD: "/home/me" }).dataDir, "/home/me/data")
  })

  it("reaches a child process through the environment as it is", () => {
    const config = loadConfig({ "database.url": "postgresql://u@db/x", "web.port": "443" }, {}, "/somewhere")
    const child = loadConfig({}, configEnvironment(config), "/elsewhere")
    assert.deepEqual({ ...child, databaseUrl: null }, { ...config, databaseUrl: null })
    assert.strictEqual(Redacted.value(child.databaseUrl ?? Redacted.make("")), "postgresql://u@db/x")
    assert.strictEqual(child.web.publicUrl, "https://localhost")
  })

  it("takes an address with a password from a file that only its owner reads, and from nowhere else", () => {
    const folder = mkdtempSync(join(tmpdir(), "pm-config-"))
    try {
      const file = join(folder, "database-url")
      writeFileSync(file, "postgresql://u:geheim@db/x\n", { mode: 0o600 })
      const config = loadConfig({ "database.url": `file:${file}` }, {}, "/somewhere")
      assert.strictEqual(Redacted.value(config.databaseUrl ?? Redacted.make("")), "postgresql://u:geheim@db/x")
      assert.notInclude(JSON.stringify(describeConfig(config)), "geheim")
      assert.notInclude(JSON.stringify(config), "geheim")
      chmodSync(file, 0o640)
      assert.match(refusal({ "database.url": `file:${file}` }, {}), /others than its owner may read: chmod 600/)
      assert.match(refusal({ "database.url": `file:${file}x` }, {}), /there is no such file/)
    } finally {
      rmSync(folder, { recursive: true })
    }
    for (const url of ["postgresql://u:geheim@db/x", "postgresql:///x?host=/run&user=u&password=geheim"]) {
      for (const message of [
        refusal({}, { PATCH_MANAGER__DATABASE__WORKER_URL: url }),
        refusal({ "database.worker_url": url }, {})
      ]) {
        assert.match(message, /database\.worker_url holds a password/)
        assert.notInclude(message, "geheim")
      }
    }
  })

  it("names every wrong setting and the variable it came from, and no secret", () => {
    const message = refusal({ "web.port": "99999", "database.url": "geheim" }, { PATCH_MANAGER__LOG__LEVEL: "loud" })
    assert.match(message, /web\.port: must be a port from 1 to 65535/)
    assert.match(message, /log\.level \(from PATCH_MANAGER__LOG__LEVEL\)/)
    assert.match(message, /database\.url: must begin with postgresql:/)
    assert.notInclude(message, "geheim")
  })

  it("refuses a variable that is no setting, because it is a misspelt one", () => {
    assert.match(refusal({}, { PATCH_MANAGER__WEB__PROT: "1" }), /PATCH_MANAGER__WEB__PROT is no setting/)
  })
})
