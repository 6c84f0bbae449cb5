/** Every kind of order: what is sent for it, by which call, and what proves it. */
import { describe, expect, it } from "vitest"
import type { Order } from "#core/Order.ts"
import type { Change } from "#core/Package.ts"
import { AgentJobId } from "#core/Ids.ts"
import { agentJob, Drive, unclear } from "./Drive.ts"

const curl: Change = { name: "curl", from: "1", to: "2" }
const ssl: Change = { name: "openssl", from: "1", to: "2" }

const sent = (drive: Drive): unknown => {
  const {
    call: _,
    intent: __,
    ...rest
  } = drive.commands.find((command) => "intent" in command && "call" in command) ?? {}
  return rest
}

const install = (version: string | null): Partial<Order> => ({
  kind: "package_install",
  packages: [{ name: "nginx", version }]
})
const remove: Partial<Order> = { kind: "package_remove", packages: [{ name: "nginx", version: null }] }
const update: Partial<Order> = { kind: "package_update", packages: [{ name: "openssl", version: null }] }
const byVersions = (planned: ReadonlyArray<Change>): Partial<Order> => ({
  kind: "rollback",
  method: "versions",
  planned
})
const byAgent: Partial<Order> = {
  kind: "rollback",
  method: "agent",
  planned: [{ name: "openssl", from: "2", to: "1" }],
  undone_agent_job_id: AgentJobId.make("J0")
}

describe("package_install", () => {
  it("asks for the version that was named, and is done with exactly this one", () => {
    const drive = new Drive().order(install("1.24-1"))
    expect(drive.commands[0]).toMatchObject({ selection: { kind: "packages", names: ["nginx"] } })
    drive.baseline({ changes: [], installed: { nginx: null } })
    expect(sent(drive)).toEqual({ kind: "Install", packages: [{ name: "nginx", version: "1.24-1" }] })
    expect(drive.intents).toEqual(["opened install"])
    drive.accepted().job({ operation: "install" })
    expect(drive.evidence("", { installed: { nginx: "1.26-1" } }).verdicts).toEqual(["not_effective"])
    const exact = new Drive().order(install("1.24-1")).baseline({ changes: [], installed: { nginx: null } })
    exact
      .accepted()
      .job({ operation: "install" })
      .evidence("", { installed: { nginx: "1.24-1" } })
    expect(exact.outcomes).toMatchObject([
      { verdict: "done", changes: [{ name: "nginx", from: null, to: "1.24-1", goal: "exactly" }] }
    ])
  })

  it("takes any version where none was named, and sends nothing where it is there already", () => {
    const drive = new Drive().order(install(null)).baseline({ changes: [], installed: { nginx: null } })
    expect(sent(drive)).toEqual({ kind: "Install", packages: [{ name: "nginx", version: null }] })
    drive
      .accepted()
      .job({ operation: "install" })
      .evidence("", { installed: { nginx: "7" } })
    expect(drive.verdicts).toEqual(["done"])
    const there = new Drive().order(install(null)).baseline({ changes: [], installed: { nginx: "5" } })
    expect(there.work).toBe("patching.verifying")
    there.evidence("", { installed: { nginx: "5" } })
    expect(there.outcomes).toMatchObject([
      { verdict: "done", message: expect.stringContaining("Nothing had to be sent") }
    ])
    expect(there.intents).toEqual([])
  })
})

describe("package_update", () => {
  it("puts the one package and wants the candidate of the patch list or newer", () => {
    const drive = new Drive().order(update).baseline()
    expect(sent(drive)).toEqual({ kind: "Update", name: "openssl" })
    expect(drive.intents).toEqual(["opened update"])
    expect(drive.accepted().job({ operation: "update" }).evidence("3").verdicts).toEqual(["done"])
  })

  it("has nothing to do without a candidate, and never installs what was not there", () => {
    const drive = new Drive().order(update).baseline({ changes: [], installed: { openssl: null } })
    expect(drive.outcomes).toMatchObject([
      { verdict: "nothing_to_do", message: expect.stringContaining("no newer version of openssl") }
    ])
    expect(drive.intents).toEqual([])
  })
})

describe("package_remove", () => {
  it("deletes the one package and is done when it is gone", () => {
    const drive = new Drive().order(remove).baseline({ changes: [], installed: { nginx: "5" } })
    expect(sent(drive)).toEqual({ kind: "Remove", name: "nginx" })
    drive
      .accepted()
      .job({ operation: "remove" })
      .evidence("", { installed: { nginx: null } })
    expect(drive.outcomes).toMatchObject([{ verdict: "done", message: expect.stringContaining("removed") }])
    const liar = new Drive().order(remove).baseline({ changes: [], installed: { nginx: "5" } })
    liar
      .accepted()
      .job({ operation: "remove" })
      .evidence("", { installed: { nginx: "5" } })
    expect(liar.outcomes).toMatchObject([
      { verdict: "not_effective", message: expect.stringContaining("still installed") }
    ])
  })
})

describe("rollback by versions", () => {
  const change: Change = { name: "openssl", from: "2", to: "1", goal: "exactly" }

  it("installs the versions from before by number", () => {
    const drive = new Drive().order(byVersions([change])).baseline({ changes: [], installed: { openssl: "2" } })
    expect(sent(drive)).toEqual({ kind: "Install", packages: [{ name: "openssl", version: "1" }] })
    drive.accepted().job({ operation: "install" })
    expect(drive.evidence("1").outcomes).toMatchObject([
      { verdict: "done", message: expect.stringContaining("at the version from before") }
    ])
  })

  it("is not effective where the newer version stays", () => {
    const drive = new Drive().order(byVersions([change])).baseline({ changes: [], installed: { openssl: "2" } })
    drive.accepted().job({ operation: "install" }).evidence("2")
    expect(drive.verdicts).toEqual(["not_effective"])
  })

  it("leaves what the run had newly installed, and names it", () => {
    const added: Change = { name: "libnew", from: "1", to: null, goal: "absent" }
    const drive = new Drive().order(byVersions([change, added])).baseline({
      changes: [],
      installed: { openssl: "2", libnew: "1" }
    })
    expect(sent(drive)).toEqual({ kind: "Install", packages: [{ name: "openssl", version: "1" }] })
    drive
      .accepted()
      .job({ operation: "install" })
      .evidence("1", { installed: { openssl: "1", libnew: "1" } })
    expect(drive.outcomes).toMatchObject([
      { verdict: "done", message: expect.stringContaining("libnew came with the run") }
    ])
    const only = new Drive().order(byVersions([added])).baseline({ changes: [], installed: { libnew: "1" } })
    expect(only.outcomes).toMatchObject([{ verdict: "nothing_to_do", message: expect.stringContaining("libnew") }])
  })

  it("stops where somebody changed the package since, if it is to stop", () => {
    const order = { ...byVersions([change]), on_change: "stop" as const }
    const drive = new Drive().order(order).baseline({ changes: [], installed: { openssl: "3" } })
    expect(drive.outcomes).toMatchObject([
      { verdict: "plan_changed", message: expect.stringContaining("stands at 3 now") }
    ])
  })
})

describe("rollback by the agent", () => {
  const asked = () => new Drive().order(byAgent).baseline({ changes: [], installed: { openssl: "2" } })

  it("names the agent's job and is done only with the versions from before", () => {
    const drive = asked()
    expect(sent(drive)).toEqual({ kind: "Rollback", job_id: "J0" })
    expect(drive.intents).toEqual(["opened rollback"])
    drive.accepted().job({ operation: "rollback", status: "running" }).job({ operation: "rollback" })
    expect(drive.evidence("1").verdicts).toEqual(["done"])
    const liar = asked().accepted().job({ operation: "rollback" }).evidence("2")
    expect(liar.verdicts).toEqual(["not_effective"])
  })

  it("ends plainly when the job is still pending after 10 min", () => {
    const drive = asked().accepted()
    const { at } = drive
    const pending = drive.job({ operation: "rollback", status: "pending" }).snapshot
    expect(drive.job({ operation: "rollback", status: "pending" }).snapshot, "told once").toBe(pending)
    expect(drive.deadline("run").at - at).toBe(600_000)
    expect([drive.work, drive.intents]).toEqual(["failed", ["opened rollback", "closed abandoned"]])
    expect(drive.outcomes).toMatchObject([
      { verdict: "not_executed", ran: false, message: expect.stringContaining("never began it") }
    ])
    expect(drive.can(drive.anotherOrder()), "the host is free again").toBe(true)
  })

  it("asks on where the job began, or was never seen", () => {
    const began = asked().accepted().job({ operation: "rollback", status: "pending" })
    began.job({ operation: "rollback", status: "running" })
    expect(began.deadline("run").work).toBe("settling.quiet")
    expect(asked().accepted().deadline("run").work).toBe("settling.quiet")
  })

  it("keeps the time of ordinary jobs for all others", () => {
    const drive = new Drive().to("patching.running")
    const { at } = drive
    expect(drive.deadline("run").at - at).toBe(45 * 60_000)
  })
})

describe("after a lost answer", () => {
  const adopted = (order: Partial<Order>, operation: string, installed: Record<string, string | null>) => {
    const drive = new Drive().order(order).baseline({ installed })
    drive.send(unclear).deadline("quiet")
    const other = operation === "patchapply" ? "install" : "patchapply"
    drive.send({
      type: "jobs",
      jobs: [
        { id: AgentJobId.make("J8"), operation: other, status: "running", created_at: null },
        { id: agentJob, operation, status: "running", created_at: null }
      ]
    })
    return [drive.work, drive.context.job_id]
  }

  it("the new job of the right operation is adopted", () => {
    const running = ["patching.running", agentJob]
    expect(adopted({}, "patchapply", { openssl: "1" })).toEqual(running)
    expect(adopted({ pin_versions: true }, "install", { openssl: "1" })).toEqual(running)
    expect(adopted(install(null), "install", { nginx: null })).toEqual(running)
    expect(adopted(update, "update", { openssl: "1" })).toEqual(running)
    expect(adopted(remove, "remove", { nginx: "1" })).toEqual(running)
    expect(adopted(byAgent, "rollback", { openssl: "2" })).toEqual(running)
    expect(adopted(byVersions([{ name: "openssl", from: "2", to: "1" }]), "install", { openssl: "2" })).toEqual(running)
  })
})

describe("a plan", () => {
  const planned = [ssl, curl]
  const found = { openssl: "1", curl: "1" }
  const all: Partial<Order> = { selection: { kind: "all" }, planned, on_change: "stop" }

  it("sends the planned names and no others", () => {
    const drive = new Drive().order(all)
    expect(drive.commands[0]).toMatchObject({ selection: { kind: "packages", names: ["openssl", "curl"] } })
    drive.baseline({ changes: planned, installed: found })
    expect(sent(drive)).toEqual({ kind: "Apply", names: ["openssl", "curl"] })
  })

  it("is content with what has been reached meanwhile", () => {
    const drive = new Drive().order(all).baseline({ changes: [curl], installed: { openssl: "2", curl: "1" } })
    expect(sent(drive)).toEqual({ kind: "Apply", names: ["curl"] })
  })

  it.each([
    ["another candidate", [{ ...ssl, to: "3" }, curl], "the host has 3 now"],
    ["no candidate any more", [curl], "the host has no candidate now"]
  ])("stops the host on %s, and names package and versions", (_, changes, words) => {
    const drive = new Drive().order(all).baseline({ changes, installed: found })
    expect([drive.work, drive.intents]).toEqual(["failed", []])
    expect(drive.outcomes).toMatchObject([
      { verdict: "plan_changed", ran: false, message: expect.stringContaining("openssl was planned as 2") }
    ])
    expect(drive.outcomes[0]?.message).toContain(words)
  })

  it("takes what there is where the job says so", () => {
    const take = { ...all, on_change: "take" as const }
    const drive = new Drive().order(take).baseline({ changes: [{ ...ssl, to: "3" }], installed: found })
    expect(sent(drive)).toEqual({ kind: "Apply", names: ["openssl"] })
    drive.accepted().job({})
    expect(drive.evidence("2", { installed: { openssl: "2" } }).verdicts).toEqual(["not_effective"])
    const left = new Drive()
      .order(take)
      .baseline({ changes: [ssl], installed: found })
      .accepted()
      .job({})
    left.evidence("2")
    expect(left.outcomes).toMatchObject([{ verdict: "done", message: expect.stringContaining("curl was planned") }])
  })

  it("is looked at again before a second try, which evidence ends if it changed", () => {
    const drive = new Drive().order(all).baseline({ changes: planned, installed: found })
    drive.accepted().job({ status: "failed", retryable: true }).deadline("backoff")
    expect(drive.commands[0]).toMatchObject({ selection: { names: ["openssl", "curl"] } })
    drive.baseline({ changes: [{ ...ssl, to: "3" }, curl], installed: found })
    expect(drive.work).toBe("patching.verifying")
    drive.evidence("1", { installed: found })
    expect(drive.outcomes).toMatchObject([
      { verdict: "plan_changed", ran: true, message: expect.stringContaining("Nothing more was sent") }
    ])
  })

  it("pins versions through an installation by number", () => {
    const pin = { ...all, pin_versions: true }
    const drive = new Drive().order(pin).baseline({ changes: [{ ...ssl, to: "3" }, curl], installed: found })
    expect(sent(drive)).toEqual({
      kind: "Install",
      packages: [
        { name: "openssl", version: "2" },
        { name: "curl", version: "2" }
      ]
    })
    drive.accepted().job({ operation: "install" })
    expect(drive.evidence("", { installed: { openssl: "3", curl: "2" } }).verdicts).toEqual(["not_effective"])
    const newer = new Drive().order(pin).baseline({ changes: [curl], installed: { openssl: "3", curl: "1" } })
    expect(newer.outcomes).toMatchObject([{ verdict: "plan_changed", message: expect.stringContaining("has 3 now") }])
  })
})

describe("held packages", () => {
  const both = { changes: [ssl, curl], installed: { openssl: "1", curl: "1" } }

  it.each<[string, Partial<Order>]>([
    ["of all", { selection: { kind: "all" } }],
    ["of a plan", { selection: { kind: "all" }, planned: [ssl, curl], on_change: "stop" }]
  ])("drop out %s and are named", (_, order) => {
    const drive = new Drive().order({ ...order, held: ["open*"] }).baseline(both)
    expect(sent(drive)).toEqual({ kind: "Apply", names: ["curl"] })
    drive
      .accepted()
      .job({})
      .evidence("", { installed: { curl: "2", openssl: "1" } })
    expect(drive.outcomes).toMatchObject([{ verdict: "done", message: expect.stringContaining("openssl is held") }])
  })

  it("leave nothing to do where all are held", () => {
    const drive = new Drive().order({ selection: { kind: "all" }, held: ["*"] }).baseline(both)
    expect(drive.outcomes).toMatchObject([
      { verdict: "nothing_to_do", message: expect.stringContaining("openssl, curl are held") }
    ])
    expect(drive.intents).toEqual([])
  })

  it("are not touched by name either", () => {
    for (const order of [
      { ...install(null), held: ["nginx"] },
      { ...remove, held: ["ng*"] },
      { ...byAgent, held: ["openssl"] }
    ]) {
      const drive = new Drive().order(order).baseline({ changes: [], installed: { nginx: "1", openssl: "2" } })
      expect(drive.verdicts).toEqual(["nothing_to_do"])
    }
  })
})
