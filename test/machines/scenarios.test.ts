import { expect, it } from "vitest"
import { hostStep } from "#machines/step.ts"
import { Drive } from "./Drive.ts"
import * as scenarios from "./scenarios.ts"

it.each(Object.entries(scenarios))("%s", (_, scenario) => scenario(hostStep))

it("an empty job list alone proves nothing: untouched twice, clean and idle does", () => {
  const drive = new Drive().to("settling.inspecting")
  drive.evidence("1").deadline("quiet").send({ type: "jobs", jobs: [] })
  expect(drive.evidence("1", { database_clean: false }).work).toBe("settling.quiet")
  drive.deadline("quiet").send({ type: "jobs", jobs: [] })
  expect(drive.evidence("1").work).toBe("settling.quiet")
  drive.deadline("quiet").send({ type: "jobs", jobs: [] })
  expect(drive.evidence("1").work).toBe("retrying")
})

it("small differences of clocks are no boot", () => {
  const drive = new Drive().to("patching.running")
  const uptime = 100_000 + 60 - 29
  expect(drive.pass(60).poll(uptime).work).toBe("patching.running")
  expect(drive.poll(uptime - 2).work).toBe("settling.quiet")
})

it("an answer to an earlier intent is not taken for the open one", () => {
  const drive = new Drive()
    .to("patching.running")
    .job({ status: "failed", retryable: true })
    .deadline("backoff")
    .baseline()
  const order = drive.context.order?.id ?? ""
  expect(drive.can({ type: "accepted", intent: `${order}/1`, job_id: "J1" as never })).toBe(false)
  expect(drive.can({ type: "accepted", intent: `${order}/2`, job_id: "J2" as never })).toBe(true)
})

it("a call of a state that was left in the same step is not made", () => {
  const drive = new Drive().to("patching.verifying", { reboot: "always" }).evidence("2")
  for (const command of drive.commands) if ("call" in command) expect(command.call).toBe(drive.context.seq)
})
