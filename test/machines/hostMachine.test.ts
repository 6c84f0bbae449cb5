import { describe, expect, it } from "vitest"
import { AgentJobId, OrderId } from "#core/Ids.ts"
import { agentJob, Drive, refused, unavailable, unclear, unsent } from "./Drive.ts"

describe("an order that goes well", () => {
  it("reads first, writes the intent down, sends explicit names, and is done on evidence", () => {
    const drive = new Drive().order()
    expect(drive.calls).toEqual(["ReadBaseline"])
    drive.baseline()
    expect(drive.commands.map(({ kind }) => kind)).toEqual(["IntentOpened", "Apply"])
    expect(drive.commands[1]).toMatchObject({ names: ["openssl"], intent: `${drive.context.order?.id ?? ""}/1` })
    drive.accepted()
    expect(drive.commands[0]).toMatchObject({ kind: "Watch", job_id: agentJob })
    drive.job({ status: "running" })
    expect(drive.work).toBe("patching.running")
    drive.job({})
    expect(drive.commands.at(-1)).toMatchObject({ kind: "ReadEvidence", names: ["openssl"], standing: true })
    drive.evidence("2")
    expect(drive.work).toBe("idle")
    expect(drive.outcomes).toMatchObject([
      { verdict: "done", ran: true, reboot_pending: false, installed: { openssl: "2" } }
    ])
    expect(drive.intents).toEqual(["opened apply", "closed ran"])
    expect(drive.timers.size).toBe(0)
  })

  it("a newer version than planned is as good", () => {
    expect(new Drive().to("patching.verifying").evidence("3").verdicts).toEqual(["done"])
  })

  it("has nothing to do without pending patches", () => {
    const drive = new Drive().order().baseline({ changes: [] })
    expect([drive.work, drive.verdicts]).toEqual(["idle", ["nothing_to_do"]])
    expect(drive.intents).toEqual([])
  })

  it("sends nothing where the target is reached already", () => {
    const drive = new Drive().order().baseline({ installed: { openssl: "2" } })
    expect(drive.work).toBe("patching.verifying")
    expect(drive.evidence("2").verdicts).toEqual(["done"])
    expect(drive.intents).toEqual([])
  })

  it("asks for the same packages again on a second try and sends only what is missing", () => {
    const changes = [
      { name: "openssl", from: "1", to: "2" },
      { name: "curl", from: "1", to: "2" }
    ]
    const drive = new Drive()
      .order({ selection: { kind: "all" } })
      .baseline({ changes, installed: { openssl: "1", curl: "1" } })
    drive.accepted().job({ status: "failed", retryable: true }).deadline("backoff")
    expect(drive.commands[0]).toMatchObject({ selection: { kind: "packages", names: ["openssl", "curl"] } })
    drive.baseline({ changes: [], installed: { openssl: "2", curl: "1" } })
    expect(drive.commands.at(-1)).toMatchObject({
      kind: "Apply",
      names: ["curl"],
      intent: `${drive.context.order?.id ?? ""}/2`
    })
  })
})

describe("an order that does not", () => {
  it("is not effective when the agent says completed and the version is not there", () => {
    const drive = new Drive().to("patching.verifying").evidence("1")
    expect([drive.work, drive.verdicts]).toEqual(["failed", ["not_effective"]])
    expect(drive.outcomes[0]?.message).toContain("openssl did not reach the planned version")
  })

  it("reads again while the agent is still at work", () => {
    const drive = new Drive().to("patching.verifying").evidence("1", { active_job_id: agentJob })
    expect(drive.work).toBe("patching.verifying")
  })

  it("waits 1, 5 and 30 min for a host that cannot be read, then gives up", () => {
    const drive = new Drive().to("patching.preparing")
    for (const minutes of [1, 5, 30]) {
      const at = drive.send(unavailable).at
      expect(drive.work).toBe("retrying")
      expect(drive.deadline("backoff").at - at).toBe(minutes * 60_000)
    }
    drive.send(unavailable)
    expect([drive.work, drive.verdicts]).toEqual(["failed", ["unavailable"]])
    expect(drive.outcomes[0]).toMatchObject({ failure: "timed_out", ran: false })
  })

  it("obeys Retry-After within an hour", () => {
    const drive = new Drive().to("patching.dispatching").send(refused(true, 90_000))
    const { at } = drive
    expect(drive.deadline("backoff").at - at).toBe(90_000)
    drive.baseline().send(refused(true, 86_400_000))
    const later = drive.at
    expect(drive.deadline("backoff").at - later).toBe(3_600_000)
  })

  it("waits while somebody else's job is at work", () => {
    const drive = new Drive().to("patching.preparing").baseline({ active_job_id: AgentJobId.make("J9") })
    expect(drive.work).toBe("retrying")
    expect(drive.intents).toEqual([])
  })

  it("does not touch a host whose package database is not clean", () => {
    const drive = new Drive().to("patching.preparing").baseline({ database_clean: false })
    expect([drive.work, drive.verdicts]).toEqual(["failed", ["failed"]])
    expect(drive.outcomes[0]?.message).toContain("dpkg --configure -a")
  })

  it("tries a retryable failure once more after 2 min, then fails", () => {
    const drive = new Drive().to("patching.running").job({ status: "failed", retryable: true, error: "no lock" })
    expect(drive.work).toBe("retrying")
    const { at } = drive
    expect(drive.deadline("backoff").at - at).toBe(120_000)
    drive
      .baseline()
      .accepted()
      .job({ status: "failed", retryable: true, error: "no lock", error_code: "NETWORK_ERROR" })
    expect([drive.work, drive.verdicts]).toEqual(["failed", ["failed"]])
    expect(drive.outcomes[0]).toMatchObject({ ran: true, error_code: "NETWORK_ERROR" })
    expect(drive.intents).toEqual(["opened apply", "closed ran", "opened apply", "closed ran"])
  })

  it("ends at once on a refusal that is final", () => {
    const drive = new Drive().to("patching.dispatching").send(refused(false))
    expect([drive.work, drive.verdicts, drive.intents]).toEqual([
      "failed",
      ["refused"],
      ["opened apply", "closed no_effect"]
    ])
  })

  it("is deferred when its window has closed before anything was sent", () => {
    const drive = new Drive()
    drive
      .to("patching.preparing", { closes_at: drive.at + 30_000 })
      .pass(31)
      .baseline()
    expect([drive.work, drive.verdicts]).toEqual(["idle", ["deferred"]])
  })

  it("is deferred when the wait would end after the window", () => {
    const drive = new Drive()
    drive.to("patching.preparing", { closes_at: drive.at + 30_000 }).send(unavailable)
    expect([drive.work, drive.verdicts]).toEqual(["idle", ["deferred"]])
  })

  it("fails instead of a second try that would not fit its window", () => {
    const drive = new Drive()
    drive.to("patching.running", { closes_at: drive.at + 60_000 }).job({ status: "failed", retryable: true })
    expect([drive.work, drive.verdicts]).toEqual(["failed", ["failed"]])
  })

  it("asks a day, then leaves the decision to a person", () => {
    const drive = new Drive().to("unresolved")
    expect(drive.verdicts).toEqual(["unresolved"])
    expect(drive.alarms).toEqual(["unresolved"])
    expect(drive.can(drive.anotherOrder())).toBe(false)
    drive.send({ type: "settle.by_hand", verdict: "done", by: "ada" })
    expect([drive.work, drive.verdicts.at(-1)]).toEqual(["idle", "done"])
    expect(drive.outcomes.at(-1)?.message).toContain("by ada")
    expect(drive.intents).toEqual(["opened apply", "closed abandoned"])
  })

  it("asks again when a person wants it", () => {
    expect(new Drive().to("unresolved").send({ type: "retry.now", by: "ada" }).work).toBe("settling.quiet")
  })
})

describe("the outcome is unknown", () => {
  it("adopts the job that is new in the agent's list", () => {
    const drive = new Drive().to("settling.asking").send({
      type: "jobs",
      jobs: [
        { id: AgentJobId.make("J0"), operation: "patchapply", status: "completed", created_at: null },
        { id: AgentJobId.make("J7"), operation: "patchapply", status: "running", created_at: null }
      ]
    })
    expect(drive.work).toBe("patching.running")
    expect(drive.commands[0]).toMatchObject({ kind: "Watch", job_id: "J7" })
  })

  it("does not adopt a job that was there before", () => {
    const jobs = [
      { id: AgentJobId.make("J0"), operation: "patchapply", status: "completed" as const, created_at: null }
    ]
    expect(new Drive().to("settling.asking").send({ type: "jobs", jobs }).work).toBe("settling.inspecting")
  })

  it("is done where the target is reached", () => {
    const drive = new Drive().to("settling.inspecting").evidence("2")
    expect([drive.work, drive.verdicts, drive.intents.at(-1)]).toEqual(["idle", ["done"], "closed ran"])
  })

  it("ends as not effective where two equal reads show a part", () => {
    const changes = [
      { name: "openssl", from: "1", to: "2" },
      { name: "curl", from: "1", to: "2" }
    ]
    const drive = new Drive()
      .order()
      .baseline({ changes, installed: { openssl: "1", curl: "1" } })
      .send(unclear)
    for (let n = 0; n < 2; n++)
      drive
        .deadline("quiet")
        .send({ type: "jobs", jobs: [] })
        .evidence("2", { installed: { openssl: "2", curl: "1" } })
    expect([drive.work, drive.verdicts]).toEqual(["failed", ["not_effective"]])
  })

  it("takes an answer that comes late, of either kind", () => {
    expect(new Drive().to("settling.asking").accepted().work).toBe("patching.running")
    expect(new Drive().to("settling.asking").send(unsent).work).toBe("retrying")
    expect(new Drive().to("settling.asking").send(refused(false)).work).toBe("failed")
  })

  it("doubles its pauses to 15 min", () => {
    const drive = new Drive().to("settling.quiet")
    const pauses = [30, 60, 120, 240, 480, 900, 900]
    for (const pause of pauses) {
      const { at } = drive
      expect(drive.deadline("quiet").at - at).toBe(pause * 1000)
      drive.send(unavailable)
    }
  })

  it("gives up after the seventh time", () => {
    const drive = new Drive().to("patching.running")
    for (let n = 0; n < 6; n++) drive.deadline("run").accepted()
    expect(drive.work).toBe("patching.running")
    expect(drive.deadline("run").work).toBe("unresolved")
  })
})

describe("restarting the host", () => {
  it("is an intent of its own after the packages are proved, and its proof is the boot", () => {
    const drive = new Drive().to("rebooting.leaving")
    expect(drive.intents).toEqual(["opened apply", "closed ran", "opened reboot"])
    expect(drive.calls).toEqual(["Reboot"])
    expect(drive.accepted().calls).toEqual(["Probe"])
    expect(drive.miss().work).toBe("rebooting.away")
    expect(drive.pass(60).poll(20).work).toBe("rebooting.returning")
    expect(drive.deadline("calm").evidence("2").outcomes).toMatchObject([{ verdict: "done", rebooted: true }])
    expect(drive.link).toBe("healthy")
  })

  it("follows the policy", () => {
    const needed = { reboot_needed: true }
    expect(new Drive().to("patching.verifying", { reboot: "never" }).evidence("2", needed).outcomes).toMatchObject([
      { verdict: "done", reboot_pending: true }
    ])
    expect(new Drive().to("patching.verifying", { reboot: "if_needed" }).evidence("2", needed).work).toBe(
      "rebooting.leaving"
    )
    expect(new Drive().to("patching.verifying", { reboot: "if_needed" }).evidence("2").verdicts).toEqual(["done"])
    const unknown = new Drive().to("patching.verifying", { reboot: "if_needed" }).evidence("2", { reboot_needed: null })
    expect(unknown.outcomes).toMatchObject([{ verdict: "done", reboot_pending: null }])
    expect(unknown.outcomes[0]?.message).toContain("cannot be known")
  })

  it("happens without any package where the order asks for it", () => {
    const only = new Drive().order({ kind: "reboot" }).baseline()
    expect(only.work).toBe("rebooting.leaving")
    only.accepted().miss().pass(60).poll(5).deadline("calm").evidence("1")
    expect(only.outcomes).toMatchObject([{ verdict: "done", rebooted: true, changes: [] }])
    expect(new Drive().order({ reboot: "always" }).baseline({ changes: [] }).work).toBe("rebooting.leaving")
    expect(new Drive().order({ reboot: "if_needed" }).baseline({ changes: [], reboot_needed: true }).work).toBe(
      "rebooting.leaving"
    )
  })

  it("does not happen twice when the host still asks for it afterwards", () => {
    const drive = new Drive().to("patching.verifying", { reboot: "if_needed" }).evidence("2", { reboot_needed: true })
    drive.accepted().miss().pass(60).poll(5).deadline("calm").evidence("2", { reboot_needed: true })
    expect(drive.outcomes).toMatchObject([{ verdict: "done", rebooted: true, reboot_pending: true }])
  })

  it("is not taken for gone before the agent has accepted", () => {
    expect(new Drive().to("rebooting.leaving").miss().work).toBe("rebooting.leaving")
  })

  it("is announced as no return after 20 min, and a late return ends the order after all", () => {
    const drive = new Drive().to("rebooting.away").deadline("away")
    expect([drive.work, drive.verdicts, drive.alarms]).toEqual(["failed", ["no_return"], ["noReturn"]])
    expect(drive.intents.at(-1)).toBe("closed abandoned")
    drive.pass(3 * 3600).poll(30)
    expect(drive.work).toBe("rebooting.returning")
    expect(drive.deadline("calm").evidence("2").verdicts).toEqual(["no_return", "done"])
  })

  it("is asked about when the host answers and has not restarted", () => {
    expect(new Drive().to("rebooting.away").poll().deadline("away").work).toBe("settling.quiet")
  })

  it("waits for a restart that may still come before it is called without effect", () => {
    const drive = new Drive().to("rebooting.leaving", { reboot_delay_seconds: 61 }).send(unclear)
    for (let n = 0; n < 3; n++) drive.deadline("quiet").send({ type: "jobs", jobs: [] }).evidence("2")
    expect(drive.context.look).toBeNull()
    for (let n = 0; n < 2; n++) drive.deadline("quiet").send({ type: "jobs", jobs: [] }).evidence("2")
    expect([drive.work, drive.intents.at(-1)]).toEqual(["retrying", "closed no_effect"])
    expect(drive.deadline("backoff").baseline({ changes: [], installed: { openssl: "2" } }).work).toBe(
      "patching.verifying"
    )
    expect(drive.evidence("2").work).toBe("rebooting.leaving")
  })

  it("does not start after the window, and says that it is owed", () => {
    const drive = new Drive()
    drive
      .to("patching.verifying", { reboot: "always", closes_at: drive.at + 1000 })
      .pass(2)
      .evidence("2")
    expect(drive.outcomes).toMatchObject([{ verdict: "done", reboot_pending: true, rebooted: false }])
  })

  it("does not start on a host whose package database is not clean", () => {
    const drive = new Drive().to("patching.verifying", { reboot: "always" }).evidence("2", { database_clean: false })
    expect([drive.work, drive.verdicts]).toEqual(["failed", ["failed"]])
    expect(drive.outcomes[0]).toMatchObject({ ran: true, reboot_pending: true })
  })
})

describe("the link", () => {
  it("turns unreachable at the third failure, with one alarm, and healthy by one answer", () => {
    const drive = new Drive().poll()
    expect(drive.link).toBe("healthy")
    drive.miss().miss()
    expect(drive.link).toBe("healthy")
    drive.miss()
    expect([drive.link, drive.alarms]).toEqual(["unreachable", ["unreachable"]])
    const before = drive.snapshot
    expect(drive.miss().snapshot).toBe(before)
    expect(drive.poll().link).toBe("healthy")
  })

  it("raises no alarm for a host that restarts", () => {
    const drive = new Drive().to("rebooting.away").miss().miss()
    expect([drive.link, drive.alarms]).toEqual(["unreachable", []])
    drive.pass(60).poll(20)
    expect([drive.link, drive.work]).toEqual(["healthy", "rebooting.returning"])
  })

  it("writes nothing for a poll without news", () => {
    const drive = new Drive().poll()
    const { snapshot } = drive
    expect(drive.can({ type: "poll.ok", health: "healthy", reason: null, uptime_seconds: 9_000_000 })).toBe(false)
    expect(drive.poll().snapshot).toBe(snapshot)
    drive.send({ type: "poll.ok", health: "degraded", reason: "/var 91 % full", uptime_seconds: 9_000_000 })
    expect([drive.link, drive.context.link_reason]).toEqual(["degraded", "/var 91 % full"])
  })

  it("is independent of the work", () => {
    expect(new Drive().to("patching.running").miss().miss().miss().link).toBe("unreachable")
  })
})

it("an order of another id is not cancelled", () => {
  const drive = new Drive().to("patching.running")
  const other = OrderId.make("01900000-0000-7000-8000-00000000000a")
  expect(drive.can({ type: "cancel", order_id: other, by: "operator" })).toBe(false)
})
