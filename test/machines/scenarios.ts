/** What chance alone does not find: each holds for the machine and breaks when its safeguard is taken out. */
import assert from "node:assert/strict"
import { AgentJobId } from "#core/Ids.ts"
import type { HostStep } from "#machines/step.ts"
import { Drive, unclear } from "./Drive.ts"

/** A first read that answers late is no second read. */
export const lateReadIsDropped = (step: HostStep): void => {
  const drive = new Drive(step).to("settling.inspecting")
  const first = drive.context.seq
  drive.deadline("call").deadline("quiet").send({ type: "jobs", jobs: [] }).evidence("1")
  assert.equal(drive.work, "settling.quiet")
  drive.deadline("quiet").send({ type: "jobs", jobs: [] })
  const evidence = {
    at: drive.at,
    installed: { openssl: "1" },
    uptime_seconds: 1,
    reboot_needed: false,
    database_clean: true,
    active_job_id: null,
    services: {}
  }
  drive.send({ type: "evidence", call: first, evidence })
  assert.equal(drive.work, "settling.inspecting")
}

/** One read proves nothing: the request may still be on its way. */
export const oneReadIsNotEnough = (step: HostStep): void => {
  const drive = new Drive(step).to("settling.inspecting").evidence("1")
  assert.equal(drive.work, "settling.quiet")
  drive.deadline("quiet").send({ type: "jobs", jobs: [] }).evidence("1")
  assert.equal(drive.work, "retrying")
  assert.deepEqual(drive.intents, ["opened apply", "closed no_effect"])
}

/** Crash after crash, the deadline of the run stays where it was. */
export const crashesDoNotMoveDeadlines = (step: HostStep): void => {
  const drive = new Drive(step).to("patching.running")
  const due = [...drive.timers.values()]
  for (let n = 0; n < 5; n++) drive.pass(60).restart()
  assert.deepEqual([...drive.timers.values()], due)
}

/** A host that had booted shortly before its restart is up longer afterwards than it was then. */
export const bootIsSeenByElapsedTime = (step: HostStep): void => {
  const drive = new Drive(step)
  drive.order({ reboot: "always" }).baseline({ uptime_seconds: 20 }).accepted().job({})
  drive.evidence("2", { uptime_seconds: 25 }).accepted().miss()
  assert.equal(drive.work, "rebooting.away")
  drive.pass(300).poll(100)
  assert.equal(drive.work, "rebooting.returning")
}

/** An agent that leaves a rollback pending does not keep its host for a day. */
export const aRollbackThatNeverBeginsEnds = (step: HostStep): void => {
  const drive = new Drive(step).order({
    kind: "rollback",
    method: "agent",
    planned: [{ name: "openssl", from: "2", to: "1" }],
    undone_agent_job_id: AgentJobId.make("J0")
  })
  drive.baseline({ changes: [], installed: { openssl: "2" } }).accepted()
  drive.job({ operation: "rollback", status: "pending" }).deadline("run")
  assert.deepEqual(drive.verdicts, ["not_executed"])
}

/** A service that is down right after its package was changed has time to come up. */
export const aServiceMayRestart = (step: HostStep): void => {
  const drive = new Drive(step).order({ services: ["nginx"] }).baseline({ services: { nginx: "up" } })
  drive
    .accepted()
    .job({})
    .evidence("2", { services: { nginx: "down" } })
  drive.evidence("2", { services: { nginx: "up" } })
  assert.deepEqual(drive.verdicts, ["done"])
}

/** The pause before asking is longer than a request that was sent can take to start. */
export const pauseOutlastsARequest = (step: HostStep): void => {
  const drive = new Drive(step).to("patching.dispatching").send(unclear)
  const { at } = drive
  assert.ok(drive.deadline("quiet").at - at >= 30_000)
}
