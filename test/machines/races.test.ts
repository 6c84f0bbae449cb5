/** Thirteen places, five interruptions: what each does there. */
import { describe, expect, it } from "vitest"
import { agentJob, Drive, type Fact, orderId, type Place, unavailable, unclear, unsent } from "./Drive.ts"

const refused = "refused"

interface Expected {
  readonly cancel: string
  readonly retire: string
  readonly force: string
  readonly second: string
  readonly resumed: string
}

const stays = (place: Place): Pick<Expected, "cancel" | "retire"> => ({ cancel: place, retire: place })

const busy = (place: Place, resumed: string): Expected => ({
  ...stays(place),
  force: "retired",
  second: refused,
  resumed
})

const table: Record<Exclude<Place, "settling.asking" | "settling.inspecting">, Expected> = {
  idle: { cancel: refused, retire: "retired", force: "retired", second: "patching.preparing", resumed: "no change" },
  "patching.preparing": {
    cancel: "idle",
    retire: "retired",
    force: "retired",
    second: refused,
    resumed: "ReadBaseline"
  },
  "patching.dispatching": busy("patching.dispatching", "settling.quiet"),
  "patching.running": busy("patching.running", "Watch"),
  "patching.verifying": busy("patching.verifying", "ReadEvidence"),
  "rebooting.leaving": busy("rebooting.leaving", "settling.quiet"),
  "rebooting.away": busy("rebooting.away", "Probe"),
  "rebooting.returning": busy("rebooting.returning", "no change"),
  "settling.quiet": busy("settling.quiet", "no change"),
  retrying: { cancel: "idle", retire: "retired", force: "retired", second: refused, resumed: "no change" },
  failed: { cancel: refused, retire: "retired", force: "retired", second: "patching.preparing", resumed: "no change" },
  unresolved: { cancel: refused, retire: "unresolved", force: "retired", second: refused, resumed: "no change" }
}

const after = (place: Place, fact: (drive: Drive) => Fact): string => {
  const drive = new Drive().to(place)
  const sent = fact(drive)
  return drive.can(sent) ? drive.send(sent).work : refused
}

const cancel = (): Fact => ({ type: "cancel", order_id: orderId, by: "operator" })
const retire = (force: boolean) => (): Fact => ({ type: "retire", force, by: "operator" })

const resumed = (place: Place): string => {
  const drive = new Drive().to(place)
  const timers = new Map(drive.timers)
  const before = drive.work
  drive.pass(7).restart()
  if (drive.work !== before) return drive.work
  expect(drive.timers).toEqual(timers)
  return drive.calls[0] ?? "no change"
}

describe.each(Object.entries(table) as Array<[Place, Expected]>)("%s", (place, expected) => {
  it("cancel", () => expect(after(place, cancel)).toBe(expected.cancel))
  it("retire", () => expect(after(place, retire(false))).toBe(expected.retire))
  it("retire by force", () => expect(after(place, retire(true))).toBe(expected.force))
  it("second order", () => expect(after(place, (drive) => drive.anotherOrder())).toBe(expected.second))
  it("crash and resumed", () => expect(resumed(place)).toBe(expected.resumed))
})

describe("removed by force", () => {
  it("gives up the intent and says that the outcome is unknown", () => {
    const drive = new Drive().to("patching.running").retire(true)
    expect([drive.verdicts, drive.intents.at(-1), drive.timers.size]).toEqual([["unresolved"], "closed abandoned", 0])
    expect(drive.link).toBe("retired")
  })

  it("is a cancelled order where nothing was sent, but not where an earlier try ran", () => {
    expect(new Drive().to("patching.preparing").retire(true).verdicts).toEqual(["cancelled"])
    const ran = new Drive().to("patching.running").job({ status: "failed", retryable: true })
    expect(ran.retire(true).verdicts).toEqual(["unresolved"])
  })
})

describe("cancelled", () => {
  it("and completed: done, no reboot follows, whichever came first", () => {
    const first = new Drive().to("patching.running", { reboot: "always" }).cancel().job({})
    const second = new Drive().to("patching.running", { reboot: "always" }).job({}).cancel()
    for (const drive of [first, second]) {
      drive.evidence("2")
      expect(drive.work).toBe("idle")
      expect(drive.outcomes).toMatchObject([{ verdict: "done", reboot_pending: true, rebooted: false }])
    }
  })

  it("and failed, though retryable: failed, no second try", () => {
    const drive = new Drive().to("patching.running").cancel().job({ status: "failed", retryable: true })
    expect([drive.work, drive.verdicts]).toEqual(["failed", ["failed"]])
  })

  it("and accepted: runs on", () => {
    expect(new Drive().to("patching.dispatching").cancel().accepted().work).toBe("patching.running")
  })

  it("and not taken: cancelled", () => {
    expect(new Drive().to("patching.dispatching").cancel().send(unsent).verdicts).toEqual(["cancelled"])
  })

  it("and crashed, nothing applied: cancelled and never sent again", () => {
    const drive = new Drive().to("patching.dispatching").cancel().restart()
    for (let n = 0; n < 2; n++) drive.deadline("quiet").send({ type: "jobs", jobs: [] }).evidence("1")
    expect([drive.work, drive.verdicts]).toEqual(["idle", ["cancelled"]])
    expect(drive.intents).toEqual(["opened apply", "closed no_effect"])
  })

  it("while waiting after a try that ran: only evidence may end it", () => {
    const waiting = () => new Drive().to("patching.running").job({ status: "failed", retryable: true }).cancel()
    expect(waiting().work).toBe("patching.verifying")
    expect(waiting().evidence("2").verdicts).toEqual(["done"])
    expect(waiting().evidence("1").verdicts).toEqual(["cancelled"])
  })

  it("while waiting before anything ran: cancelled, no timer left", () => {
    const drive = new Drive().to("retrying").cancel()
    expect([drive.work, drive.verdicts, drive.timers.size]).toEqual(["idle", ["cancelled"], 0])
  })
})

describe("retired", () => {
  it("in the middle of a run: done, then retired in the same step", () => {
    const drive = new Drive().to("patching.running").retire(false).job({}).evidence("2")
    expect([drive.work, drive.link, drive.verdicts, drive.timers.size]).toEqual(["retired", "retired", ["done"], 0])
  })

  it("does not wait out a wait", () => {
    expect(new Drive().to("retrying").retire(false).work).toBe("retired")
  })

  it("waits for the decision about an unknown outcome", () => {
    const drive = new Drive().to("unresolved").retire(false)
    expect(drive.send({ type: "settle.by_hand", verdict: "not_effective", by: "ada" }).work).toBe("retired")
  })

  it("does nothing more", () => {
    const drive = new Drive().to("idle").retire(false)
    const { snapshot } = drive
    for (const fact of [drive.anotherOrder(), unavailable, unclear]) expect(drive.send(fact).snapshot).toBe(snapshot)
  })
})

it("the window closes in the middle of a run: it runs on, is done, and the restart is owed", () => {
  const drive = new Drive()
  drive
    .to("patching.running", { reboot: "always", closes_at: drive.at + 1000 })
    .pass(60)
    .job({})
    .evidence("2")
  expect(drive.outcomes).toMatchObject([{ verdict: "done", reboot_pending: true }])
})

it("the window closes before the restart's first byte: done, the restart is owed", () => {
  const drive = new Drive()
  drive
    .to("rebooting.leaving", { closes_at: drive.at + 1000 })
    .pass(2)
    .send(unsent)
  expect(drive.work).toBe("patching.verifying")
  expect(drive.evidence("2").outcomes).toMatchObject([{ verdict: "done", reboot_pending: true }])
})

it("a restart that was accepted is probed again after a crash, not asked again", () => {
  const drive = new Drive().to("rebooting.leaving").accepted().restart()
  expect([drive.work, drive.calls]).toEqual(["rebooting.leaving", ["Probe"]])
})

it("a job that is reported while its state is being settled still counts", () => {
  const drive = new Drive().to("patching.running").deadline("run")
  expect(drive.job({ id: agentJob }).work).toBe("patching.verifying")
})
