import { describe, expect, it } from "vitest"
import { importFaults, launchFaults, sqlFaults } from "./importRules.ts"
import { readSources } from "./sources.ts"

const sources = readSources()
const planted = (path: string, specifier: string) =>
  importFaults([{ path, text: `import { A } from "${specifier}"\n` }])

describe("the import table", () => {
  it("holds for every file", () => {
    expect(sources.length).toBeGreaterThan(300)
    expect(importFaults(sources)).toEqual([])
  })

  it.each([
    ["core/Planted.ts", "#machines/step.ts"],
    ["core/Planted.ts", "effect/crypto/SecureRandom"],
    ["core/Planted.ts", "node:fs"],
    ["core/Planted.ts", "xstate"],
    ["machines/planted.ts", "#sql/HostStore.ts"],
    ["machines/planted.ts", "effect/sql"],
    ["sql/Planted.ts", "#actors/hosts/HostActor.ts"],
    ["sql/Planted.ts", "#http/api/Hosts.ts"],
    ["http/api/Planted.ts", "#machines/step.ts"],
    ["http/api/Planted.ts", "#sql/HostStore.ts"],
    ["http/api/Planted.ts", "../server/Hosts.ts"],
    ["http/api/Planted.ts", "node:https"],
    ["http/server/Planted.ts", "#actors/hosts/HostSupervisor.ts"],
    ["http/server/Planted.ts", "#actors/agent/AgentClient.ts"],
    ["http/server/Planted.ts", "#machines/step.ts"],
    ["http/server/Planted.ts", "#deploy/Config.ts"],
    ["actors/agent/planted.ts", "../hosts/HostHandle.ts"],
    ["actors/hosts/planted.ts", "../jobs/JobActor.ts"],
    ["actors/jobs/planted.ts", "../wake/Worker.ts"],
    ["actors/pki/planted.ts", "../housekeeping/Heartbeat.ts"],
    ["actors/housekeeping/planted.ts", "#actors/hosts/HostActor.ts"],
    ["actors/planted.ts", "#core/Host.ts"],
    ["ui/Planted.tsx", "#sql/HostStore.ts"],
    ["ui/Planted.tsx", "#http/server/WebServer.ts"],
    ["ui/Planted.tsx", "node:fs"],
    ["deploy/planted.ts", "#test/harness/World.ts"],
    ["deploy/planted.ts", "../core/Host.ts"],
    ["test/fleet/planted.ts", "#core/Host.ts"],
    ["test/fleet/planted.ts", "#actors/agent/AgentClient.ts"],
    ["test/fleet/planted.ts", "../harness/World.ts"],
    ["test/harness/planted.ts", "../../core/Host.ts"],
    ["sql/Planted.ts", "../package.json"],
    ["sql/Planted.ts", "./HostStore"]
  ])("refuses that %s imports %s", (path, specifier) => {
    expect(planted(path, specifier)).toHaveLength(1)
  })

  it.each([
    ["actors/wake/planted.ts", "../jobs/JobSupervisor.ts"],
    ["http/server/Planted.ts", "#actors/pki/Authority.ts"],
    ["core/newId.ts", "effect/crypto/SecureRandom"],
    ["test/bench/planted.ts", "#actors/agent/AgentClient.ts"],
    ["deploy/planted.ts", "#test/fleet/FleetControl.ts"],
    ["deploy/planted.ts", "../package.json"]
  ])("lets %s import %s", (path, specifier) => {
    expect(planted(path, specifier)).toEqual([])
  })

  it("sees every form of import", () => {
    const forms = [
      'import type { A } from "#sql/A.ts"',
      'import "#sql/A.ts"',
      'export * from "#sql/A.ts"',
      'export {\n  A,\n  B\n} from "#sql/A.ts"',
      'const a = await import("#sql/A.ts")'
    ]
    for (const text of forms) expect(importFaults([{ path: "core/Planted.ts", text }]), text).toHaveLength(1)
  })
})

describe("SQL", () => {
  it("stands in sql/ alone", () => {
    expect(sqlFaults(sources)).toEqual([])
  })

  it("is found elsewhere, in every form", () => {
    const forms = [
      "const rows = yield* sql`select 1`",
      "const rows = yield* sql<{ n: number }>`\n  select 1`",
      "yield* sql.unsafe(text)",
      'await client.query("select id from hosts")',
      'await client.query("delete from hosts")',
      "await client.query(`\n  insert into hosts values (1)`)"
    ]
    for (const text of forms) expect(sqlFaults([{ path: "actors/hosts/planted.ts", text }]), text).toHaveLength(1)
    expect(sqlFaults([{ path: "sql/Planted.ts", text: forms[0] ?? "" }])).toEqual([])
  })
})

describe("programs", () => {
  it("are started in deploy/ alone", () => {
    expect(launchFaults(sources)).toEqual([])
  })

  it("are found elsewhere", () => {
    for (const text of ["Layer.launch(layer)", "NodeRuntime.runMain(main)", "runMain(main)"]) {
      expect(launchFaults([{ path: "http/server/Planted.ts", text }]), text).toHaveLength(1)
      expect(launchFaults([{ path: "deploy/web.ts", text }])).toEqual([])
    }
  })
})
