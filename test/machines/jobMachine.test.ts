import { Result } from "effect"
import { describe, expect, it } from "vitest"
import type { JobCommand } from "#core/JobCommand.ts"
import type { JobCounted, JobCounts, JobEvent } from "#core/JobEvent.ts"
import { endingOf } from "#machines/jobEnding.ts"
import { type JobSnapshot, jobStateOf, jobStep } from "#machines/jobStep.ts"
import { expectedTimers } from "#machines/makeStep.ts"

const none: JobCounts = { queued: 0, open: 0, succeeded: 0, failed: 0, deferred: 0, cancelled: 0, uncertain: 0 }
const day = 86_400_000

class DriveJob {
  at = 1_800_000_000_000
  snapshot: JobSnapshot = Result.getOrThrow(jobStep.initialStep()).snapshot
  commands: ReadonlyArray<JobCommand> = []
  changed = false

  get state(): string {
    return jobStateOf(this.snapshot)
  }

  get kinds(): ReadonlyArray<string> {
    return this.commands.map(({ kind }) => kind)
  }

  send(event: JobEvent): this {
    const stepped = Result.getOrThrow(jobStep.step(this.snapshot, event))
    this.snapshot = stepped.snapshot
    this.commands = stepped.commands
    this.changed = stepped.changed
    return this
  }

  by(type: "start" | "pause" | "resume" | "cancel"): this {
    return this.send({ type, at: this.at, by: "ada" })
  }

  counts(counts: Partial<JobCounts>, seen: Partial<Omit<JobCounted, "counts" | "type">> = {}): this {
    return this.send({
      type: "counts",
      at: this.at,
      unresolved: 0,
      unhealthy: 0,
      max_failed: null,
      wave: null,
      startable: null,
      next_at: null,
      ...seen,
      counts: { ...none, ...counts }
    })
  }

  again(): this {
    const [timer] = expectedTimers(this.snapshot)
    return this.send({ type: timer as `xstate.after.${string}`, at: this.at })
  }
}

it("offers its orders and ends with its last host", () => {
  const job = new DriveJob().counts({ queued: 2 }, { startable: 2 })
  expect([job.state, job.kinds]).toEqual(["running", ["OfferOrders"]])
  job.counts({ queued: 1, open: 1 })
  expect(job.changed).toBe(true)
  job.counts({ queued: 1, open: 1 })
  expect(job.changed).toBe(false)
  job.counts({ succeeded: 2 })
  expect(job.state).toBe("succeeded")
  expect(job.commands).toMatchObject([{ kind: "JobEnded", state: "succeeded", message: "2 hosts done." }])
  expect(expectedTimers(job.snapshot)).toEqual([])
})

it("starts by itself when nobody starts it", () => {
  expect(new DriveJob().send({ type: "xstate.after.start.queued", at: 1 }).kinds).toEqual(["OfferOrders"])
})

it("offers again after a restart and every minute, never twice under one number", () => {
  const job = new DriveJob().by("start")
  const calls = [job, job.send({ type: "resumed", at: 1 }), job.again()].map(({ commands: [command] }) => command)
  expect(job.kinds).toEqual(["OfferOrders"])
  expect(calls[0]).toMatchObject({ call: 2 })
  expect(expectedTimers(job.snapshot)).toEqual(["xstate.after.recount.running"])
})

it("waits while nothing is at work and nothing may start, and runs again when something may", () => {
  const job = new DriveJob().counts({ queued: 3 }, { startable: 0, next_at: 7 })
  expect([job.state, job.snapshot.context.next_at]).toEqual(["waiting", 7])
  expect(expectedTimers(job.snapshot)).toEqual(["xstate.after.remind.waiting"])
  expect(job.counts({ queued: 3 }, { startable: 1 }).state).toBe("running")
  expect(job.counts({ queued: 2, open: 1 }, { startable: 0 }).state).toBe("running")
  expect(job.counts({ queued: 2, succeeded: 1 }, { startable: null }).state).toBe("running")
  expect(job.counts({ queued: 2, succeeded: 1 }, { startable: 0 }).state).toBe("waiting")
  expect(job.counts({ queued: 1, succeeded: 1, uncertain: 1 }, { startable: 0 }).state).toBe("running")
})

describe("raises one alarm a day", () => {
  const alarms = (job: DriveJob) => job.again().commands.filter(({ kind }) => kind === "Alarm")

  it.each([
    ["running", (job: DriveJob) => job.counts({ queued: 1, open: 1 }, { startable: 1 }), /running for a day/],
    ["waiting", (job: DriveJob) => job.counts({ queued: 1 }, { startable: 0 }), /waiting for a day/],
    ["paused", (job: DriveJob) => job.counts({ queued: 1, open: 1 }, { startable: 1 }).by("pause"), /paused by ada/]
  ])("while %s", (state, reach, words) => {
    const job = reach(new DriveJob())
    expect([job.state, alarms(job)]).toEqual([state, []])
    job.at += day
    expect(alarms(job)).toMatchObject([{ message: expect.stringMatching(words) }])
    expect(alarms(job)).toEqual([])
    job.at += day
    expect(alarms(job)).toHaveLength(1)
    expect(job.state).toBe(state)
  })
})

describe("paused", () => {
  it("sees what is at work to its end and goes on when it is resumed", () => {
    const job = new DriveJob().counts({ queued: 2, open: 1 }, { startable: 0 }).by("pause")
    expect([job.state, job.snapshot.context.paused_by]).toEqual(["paused", "ada"])
    expect(job.counts({ queued: 2, succeeded: 1 }, { startable: 0 }).state).toBe("paused")
    expect(job.by("pause").changed).toBe(false)
    expect(job.by("resume")).toMatchObject({ state: "running", kinds: ["OfferOrders"] })
    expect(job.snapshot.context.paused_by).toBe(null)
  })

  it("before it was ever looked at", () => {
    expect(new DriveJob().by("pause").counts({ queued: 2 }, { startable: 0 }).state).toBe("paused")
  })

  it("ends when its last host has ended", () => {
    expect(new DriveJob().by("start").by("pause").counts({ failed: 1 }).state).toBe("failed")
  })

  it("and cancelled: nothing is paused any more", () => {
    const job = new DriveJob().by("pause").by("cancel")
    expect([job.state, job.kinds, job.snapshot.context.paused_by]).toEqual(["running", ["CancelOrders"], null])
    expect(job.by("pause").changed).toBe(false)
  })
})

describe("waves", () => {
  it("are passed one after the other, each by a step of its own", () => {
    const job = new DriveJob().counts({ queued: 5, open: 1 }, { startable: 0, wave: 1 })
    expect(job.counts({ queued: 5, succeeded: 1 }, { wave: 2 })).toMatchObject({
      state: "running",
      kinds: ["WavePassed", "OfferOrders"]
    })
    expect(job.snapshot.context.wave).toBe(2)
    job.counts({ queued: 5, succeeded: 1 }, { wave: 2 })
    expect(job.changed).toBe(false)
    // A host of the first one that comes back late does not make the second one begin twice.
    job.counts({ queued: 5, open: 1 }, { wave: 1 }).counts({ queued: 5, succeeded: 1 }, { wave: 2 })
    expect(job.kinds).toEqual([])
  })

  it("are passed while the job is paused or waits, too", () => {
    const paused = new DriveJob().by("pause").counts({ queued: 1, succeeded: 1 }, { wave: 2 })
    expect([paused.state, paused.snapshot.context.wave]).toEqual(["paused", 2])
    const waiting = new DriveJob().counts({ queued: 1 }, { startable: 0, wave: 1 })
    expect(waiting.counts({ queued: 1, cancelled: 1 }, { wave: 2 }).kinds).toEqual(["WavePassed", "OfferOrders"])
    expect(waiting.state).toBe("waiting")
  })
})

describe("the error limit", () => {
  const limit = { max_failed: 2, startable: 1 }

  it("stops the job at more failed, undecided and unhealthy hosts than it allows", () => {
    const job = new DriveJob().counts({ queued: 9, open: 1 }, limit)
    job.counts({ queued: 5, open: 1, failed: 1, uncertain: 1, succeeded: 2 }, { ...limit, unresolved: 1 })
    expect(job.snapshot.context.stopped).toBe(null)
    job.counts({ queued: 5, failed: 1, uncertain: 1, succeeded: 3 }, { ...limit, unresolved: 1, unhealthy: 1 })
    expect(job.kinds).toEqual(["Stopped", "OfferOrders"])
    expect(job.commands[0]).toEqual({
      kind: "Stopped",
      reason:
        "1 host failed, 1 with an unknown outcome, 1 that was done cannot be reached any more; the job stops at more than 2.",
      failed: 1,
      unresolved: 1,
      unhealthy: 1,
      max_failed: 2,
      not_started: 5
    })
    expect(job.counts({ queued: 5, failed: 2, succeeded: 3 }, { ...limit, unhealthy: 1 }).kinds).toEqual([])
    expect(job.counts({ cancelled: 5, failed: 2, succeeded: 3 }, { ...limit, unhealthy: 1 }).state).toBe(
      "partially_failed"
    )
  })

  it("comes before the next wave, and stops nothing where nothing is left", () => {
    const job = new DriveJob().counts({ queued: 4, open: 1 }, { ...limit, max_failed: 0, wave: 1 })
    expect(job.counts({ queued: 4, failed: 1 }, { ...limit, max_failed: 0, wave: 2 }).kinds).toEqual([
      "Stopped",
      "OfferOrders"
    ])
    const over = new DriveJob().counts({ open: 3 }, limit).counts({ failed: 3 }, limit)
    expect([over.state, over.kinds]).toEqual(["failed", ["JobEnded"]])
  })
})

describe("cancelled", () => {
  it("before it started: nothing is offered", () => {
    const job = new DriveJob().by("cancel")
    expect(job.kinds).toEqual(["CancelOrders"])
    expect(job.counts({ cancelled: 3 }).state).toBe("cancelled")
  })

  it("while running: what is at work is seen to its end", () => {
    const job = new DriveJob().by("start").by("cancel")
    expect(job.kinds).toEqual(["CancelOrders"])
    job.counts({ open: 1, cancelled: 2 })
    expect(job.state).toBe("running")
    expect(job.again().kinds).toEqual(["CancelOrders"])
    expect(job.counts({ succeeded: 1, cancelled: 2 }).state).toBe("cancelled")
  })

  it("while it waits for a window", () => {
    const job = new DriveJob().counts({ queued: 3 }, { startable: 0 }).by("cancel")
    expect([job.state, job.kinds]).toEqual(["running", ["CancelOrders"]])
  })

  it("too late: all hosts were done", () => {
    expect(new DriveJob().by("start").by("cancel").counts({ succeeded: 3 }).state).toBe("succeeded")
  })
})

describe("is corrected", () => {
  it("when a host's result is", () => {
    const job = new DriveJob().by("start").counts({ succeeded: 1, failed: 1 })
    expect(job.state).toBe("partially_failed")
    job.counts({ succeeded: 2 })
    expect([job.state, job.kinds]).toEqual(["succeeded", ["JobEnded"]])
  })

  it("when a host comes back after it was given up: it runs until that host has ended", () => {
    const job = new DriveJob().by("start").counts({ succeeded: 1, failed: 1 })
    job.counts({ succeeded: 1, open: 1 })
    expect(job.state).toBe("running")
    expect(expectedTimers(job.snapshot)).toEqual(["xstate.after.recount.running"])
    expect(job.counts({ succeeded: 2 }).state).toBe("succeeded")
  })

  it("in its numbers where it ends the same", () => {
    const job = new DriveJob().by("start").counts({ succeeded: 1, failed: 2 })
    job.counts({ succeeded: 2, failed: 1 })
    expect([job.state, job.commands]).toMatchObject([
      "partially_failed",
      [{ kind: "JobEnded", message: "2 hosts done, 1 failed." }]
    ])
    expect(job.counts({ succeeded: 2, failed: 1 }).changed).toBe(false)
  })
})

it.each<[Partial<JobCounts>, boolean, string | undefined]>([
  [{}, false, "succeeded"],
  [{ queued: 1 }, false, undefined],
  [{ uncertain: 1, succeeded: 4 }, false, undefined],
  [{ succeeded: 1, deferred: 1 }, false, "partially_failed"],
  [{ failed: 2 }, false, "failed"],
  [{ deferred: 2 }, false, "failed"],
  [{ cancelled: 2 }, false, "cancelled"],
  [{ failed: 1, cancelled: 1 }, false, "failed"],
  [{ failed: 1, cancelled: 1 }, true, "cancelled"]
])("%j with cancel %s ends as %s", (counts, cancelAsked, ending) => {
  expect(endingOf({ ...none, ...counts }, cancelAsked)).toBe(ending)
})

it("reads back what it stored", () => {
  const { snapshot } = new DriveJob().by("start").counts({ open: 2 })
  const read = Result.getOrThrow(jobStep.restore({ machine_version: 2, ...jobStep.persist(snapshot) }))
  expect(jobStep.persist(read)).toEqual(jobStep.persist(snapshot))
  expect(Result.isFailure(jobStep.restore({ machine_version: 2, value: "asleep", context: {} }))).toBe(true)
})

it("reads what version 1 stored", () => {
  const counts = { ...none, queued: 1, open: 1 }
  const context = { seq: 3, started_at: 5, counts, cancel_asked: null, overdue: false }
  const read = Result.getOrThrow(jobStep.restore({ machine_version: 1, value: "running", context }))
  expect([jobStateOf(read), read.context.stopped, read.context.wave]).toEqual(["running", null, 1])
  expect(expectedTimers(read)).toEqual(["xstate.after.recount.running"])
})
