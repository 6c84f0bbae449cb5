/** What is looked at before anything is sent, what after it ran, and whether it still fits the window. */
import { describe, expect, it } from "vitest"
import type { Order } from "#core/Order.ts"
import { AgentJobId } from "#core/Ids.ts"
import { Drive, unavailable } from "./Drive.ts"

const strict = { degraded: "stop", unknown: "stop" } as const
const lenient = { degraded: "go", unknown: "go" } as const

const ended = (drive: Drive) => [drive.work, drive.verdicts, drive.intents]
const stopped = ["failed", ["pre_check_failed"], []]

describe("pre-checks", () => {
  it("stop a degraded host only where the order says so", () => {
    const degraded = { degraded: "The agent's repository signing key is expired." }
    const drive = new Drive().order({ pre_check: strict }).baseline(degraded)
    expect(ended(drive)).toEqual(stopped)
    expect(drive.outcomes[0]?.message).toContain("signing key is expired")
    expect(new Drive().order({ pre_check: lenient }).baseline(degraded).work).toBe("patching.dispatching")
  })

  it("stop a host whose service is down, whatever the policy", () => {
    const order: Partial<Order> = { services: ["nginx", "cron"], pre_check: lenient }
    const drive = new Drive().order(order)
    expect(drive.commands[0]).toMatchObject({ kind: "ReadBaseline", services: ["nginx", "cron"] })
    drive.baseline({ services: { nginx: "down", cron: "up" } })
    expect(ended(drive)).toEqual(stopped)
    expect(drive.outcomes[0]?.message).toContain("nginx is not running")
    expect(new Drive().order(order).baseline({ services: { nginx: "up", cron: "up" } }).work).toBe(
      "patching.dispatching"
    )
  })

  it("stop or go where the agent cannot tell", () => {
    const services = ["nginx"]
    const drive = new Drive().order({ services, pre_check: strict }).baseline({ services: { nginx: "unknown" } })
    expect(ended(drive)).toEqual(stopped)
    expect(drive.outcomes[0]?.message).toContain("nginx cannot be checked")
    const database = new Drive().order({ pre_check: strict }).baseline({ database_clean: null })
    expect(ended(database)).toEqual(stopped)
    expect(database.outcomes[0]?.message).toContain("package database cannot be checked")
    expect(new Drive().order({ services, pre_check: lenient }).baseline({ database_clean: null }).work).toBe(
      "patching.dispatching"
    )
  })

  it("hold for a restart, too, and not where nothing is sent", () => {
    const services = ["nginx"]
    const down = { services: { nginx: "down" as const } }
    expect(ended(new Drive().order({ kind: "reboot", services }).baseline(down))).toEqual(stopped)
    expect(new Drive().order({ services }).baseline({ ...down, changes: [] }).verdicts).toEqual(["nothing_to_do"])
    const there = new Drive().order({ services }).baseline({ ...down, installed: { openssl: "2" } })
    expect(there.work).toBe("patching.verifying")
    const owed = new Drive().order({ services, reboot: "always" }).baseline({ ...down, installed: { openssl: "2" } })
    expect(ended(owed)).toEqual(stopped)
  })

  it("wait for somebody else's job first", () => {
    const busy = { active_job_id: AgentJobId.make("J9"), services: { nginx: "down" as const } }
    expect(new Drive().order({ services: ["nginx"] }).baseline(busy).work).toBe("retrying")
  })

  it("leave an order that ran before to the evidence", () => {
    const services = ["nginx"]
    const drive = new Drive().order({ services }).baseline({ services: { nginx: "up" } })
    drive.accepted().job({ status: "failed", retryable: true }).deadline("backoff")
    drive.baseline({ services: { nginx: "down" } })
    expect(drive.work).toBe("patching.verifying")
    drive.evidence("1", { services: { nginx: "down" } })
    expect(drive.outcomes).toMatchObject([{ verdict: "pre_check_failed", ran: true }])
  })
})

describe("services afterwards", () => {
  const order: Partial<Order> = { services: ["nginx"] }
  const verified = (before: "up" | "unknown" = "up", more: Partial<Order> = {}) =>
    new Drive()
      .order({ ...order, ...more })
      .baseline({ services: { nginx: before } })
      .accepted()
      .job({})
  const down = { services: { nginx: "down" as const } }

  it("are read again for 45 s and then end the order as failed", () => {
    const drive = verified()
    expect(drive.commands.at(-1)).toMatchObject({ kind: "ReadEvidence", standing: true, services: ["nginx"] })
    for (let look = 0; look < 3; look++) expect(drive.evidence("2", down).work).toBe("patching.verifying")
    drive.evidence("2", down)
    expect(drive.work).toBe("failed")
    expect(drive.outcomes).toMatchObject([
      { verdict: "service_down", ran: true, installed: { openssl: "2" }, message: expect.stringContaining("nginx") }
    ])
  })

  it("may come up again in the meantime", () => {
    const drive = verified().evidence("2", down).evidence("2", down)
    expect(drive.evidence("2", { services: { nginx: "up" } }).verdicts).toEqual(["done"])
  })

  it("count after the restart, which comes first", () => {
    const drive = verified("up", { reboot: "always" }).evidence("2", down)
    expect(drive.work).toBe("rebooting.leaving")
    drive.accepted().miss().pass(60).poll(5).deadline("calm")
    for (let look = 0; look < 4; look++) drive.evidence("2", down)
    expect(drive.outcomes).toMatchObject([{ verdict: "service_down", rebooted: true }])
  })

  it("count by the first look before the order, not by a later one", () => {
    const drive = new Drive().order(order).baseline({ services: { nginx: "up" } })
    drive.accepted().job({ status: "failed", retryable: true }).deadline("backoff")
    drive.baseline({ installed: { openssl: "2" }, services: { nginx: "down" } })
    for (let look = 0; look < 4; look++) drive.evidence("2", down)
    expect(drive.verdicts).toEqual(["service_down"])
  })

  it("that cannot be checked are named, and one that was not known before fails nothing", () => {
    const unknown = verified().evidence("2", { services: { nginx: "unknown" } })
    expect(unknown.outcomes).toMatchObject([
      { verdict: "done", message: expect.stringContaining("could not be checked") }
    ])
    const before = verified("unknown").evidence("2", down)
    expect(before.outcomes).toMatchObject([
      { verdict: "done", message: expect.stringContaining("nginx is not running, and whether before") }
    ])
  })

  it("are looked at by the other door to done, too", () => {
    const drive = new Drive().order(order).baseline({ services: { nginx: "up" } })
    drive.send({ type: "unclear", kind: "connection_lost", message: "" })
    drive.deadline("quiet").send({ type: "jobs", jobs: [] }).evidence("2", down)
    expect([drive.work, drive.intents.at(-1)]).toEqual(["patching.verifying", "closed ran"])
    expect(drive.evidence("2", { services: { nginx: "up" } }).verdicts).toEqual(["done"])
  })
})

describe("a window", () => {
  const minutes = (count: number): number => count * 60_000
  const closing = (drive: Drive, inMinutes: number, expected = 20): Partial<Order> => ({
    closes_at: drive.at + minutes(inMinutes),
    expected_ms: minutes(expected)
  })

  it("lets nothing start that would not be over before it closes", () => {
    const late = new Drive()
    late.order(closing(late, 19)).baseline()
    expect(ended(late)).toEqual(["idle", ["deferred"], []])
    expect(late.outcomes[0]?.message).toContain("too short")
    const exact = new Drive()
    expect(exact.order(closing(exact, 20)).baseline().work).toBe("patching.dispatching")
  })

  it("lets no second try start that would not be over either", () => {
    const fails = (inMinutes: number) => {
      const drive = new Drive()
      return drive.to("patching.running", closing(drive, inMinutes)).job({ status: "failed", retryable: true }).work
    }
    expect(fails(22)).toBe("retrying")
    expect(fails(21)).toBe("failed")
    const unread = new Drive()
    unread.order(closing(unread, 20)).send(unavailable)
    expect(unread.outcomes).toMatchObject([{ verdict: "deferred", message: expect.stringContaining("Another try") }])
  })

  it("keeps its rule for the restart after the packages: none after it closed", () => {
    const drive = new Drive()
    drive.to("patching.verifying", { reboot: "always", ...closing(drive, 20) }).pass(19 * 60)
    expect(drive.evidence("2").work).toBe("rebooting.leaving")
  })
})
