import { Result } from "effect"
import { describe, expect, it } from "vitest"
import type { JobCommand } from "#core/JobCommand.ts"
import type { JobCounts, JobEvent } from "#core/JobEvent.ts"
import { endingOf } from "#machines/jobEnding.ts"
import { type JobSnapshot, jobStateOf, jobStep } from "#machines/jobStep.ts"
import { expectedTimers } from "#machines/makeStep.ts"

const none: JobCounts = { queued: 0, open: 0, succeeded: 0, failed: 0, deferred: 0, cancelled: 0, uncertain: 0 }

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

  start(): this {
    return this.send({ type: "start", at: this.at, by: "ada" })
  }

  cancel(): this {
    return this.send({ type: "cancel", at: this.at, by: "ada" })
  }

  counts(counts: Partial<JobCounts>): this {
    return this.send({ type: "counts", at: this.at, counts: { ...none, ...counts } })
  }

  recount(): this {
    return this.send({ type: "xstate.after.recount.running", at: this.at })
  }
}

it("offers its orders and ends with its last host", () => {
  const job = new DriveJob().start()
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
  const job = new DriveJob().start()
  const calls = [job, job.send({ type: "resumed", at: 1 }), job.recount()].map(({ commands: [command] }) => command)
  expect(job.kinds).toEqual(["OfferOrders"])
  expect(calls[0]).toMatchObject({ call: 2 })
  expect(expectedTimers(job.snapshot)).toEqual(["xstate.after.recount.running"])
})

it("raises one alarm when it runs for a day", () => {
  const job = new DriveJob().start()
  job.counts({ uncertain: 1, succeeded: 1 }).at += 86_400_000
  expect(job.recount().kinds).toEqual(["Alarm", "OfferOrders"])
  expect(job.recount().kinds).toEqual(["OfferOrders"])
})

describe("cancelled", () => {
  it("before it started: nothing is offered", () => {
    const job = new DriveJob().cancel()
    expect(job.kinds).toEqual(["CancelOrders"])
    expect(job.counts({ cancelled: 3 }).state).toBe("cancelled")
  })

  it("while running: what is at work is seen to its end", () => {
    const job = new DriveJob().start().cancel()
    expect(job.kinds).toEqual(["CancelOrders"])
    job.counts({ open: 1, cancelled: 2 })
    expect(job.state).toBe("running")
    expect(job.recount().kinds).toEqual(["CancelOrders"])
    expect(job.counts({ succeeded: 1, cancelled: 2 }).state).toBe("cancelled")
  })

  it("too late: all hosts were done", () => {
    expect(new DriveJob().start().cancel().counts({ succeeded: 3 }).state).toBe("succeeded")
  })
})

it("is corrected when a host's result is", () => {
  const job = new DriveJob().start().counts({ succeeded: 1, failed: 1 })
  expect(job.state).toBe("partially_failed")
  job.counts({ succeeded: 1, open: 1 })
  expect(job.changed).toBe(false)
  job.counts({ succeeded: 2 })
  expect([job.state, job.kinds]).toEqual(["succeeded", ["JobEnded"]])
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
  const { snapshot } = new DriveJob().start().counts({ open: 2 })
  const read = Result.getOrThrow(jobStep.restore({ machine_version: 1, ...jobStep.persist(snapshot) }))
  expect(jobStep.persist(read)).toEqual(jobStep.persist(snapshot))
  expect(Result.isFailure(jobStep.restore({ machine_version: 1, value: "paused", context: {} }))).toBe(true)
})
