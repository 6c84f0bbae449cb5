import { expect, it } from "vitest"
import { agentAbilities, canAgent, normalAgentVersion } from "#core/agentAbilities.ts"

it("follows the agent's version, however it is spelled", () => {
  expect(normalAgentVersion("v2.5.5-1")).toBe("2.5.5")
  expect(["1.1.9", "v1.2.0", "1.2", "2.0.0-3"].map((version) => canAgent(version, "services"))).toEqual([
    false,
    true,
    true,
    true
  ])
  expect(["2.5.4", "2.5.5", "2.10.0"].map((version) => canAgent(version, "reboot_need"))).toEqual([false, true, true])
})

it("knows what each generation can do", () => {
  expect(agentAbilities("1.0.0")).toEqual({
    downgrades: false,
    rollback: false,
    services: false,
    database_state: false,
    reboot_need: false,
    durable_jobs: false
  })
  expect(agentAbilities("2.7.0")).toEqual({
    downgrades: false,
    rollback: false,
    services: true,
    database_state: true,
    reboot_need: true,
    durable_jobs: true
  })
  expect(agentAbilities("3.0.0")).toMatchObject({ downgrades: true, rollback: true })
})

it("expects nothing of an agent whose version is not known", () => {
  for (const version of [null, "", "newest"]) expect(Object.values(agentAbilities(version))).not.toContain(true)
})
