/** Undoing a job by another one. */
import { Effect } from "effect"
import { Conflict, refuseField } from "#core/Errors.ts"
import type { JobId } from "#core/Ids.ts"
import type { NewRollback } from "#core/Job.ts"
import { timeFault } from "#core/plan/checkNewJob.ts"
import type { Caller } from "#core/User.ts"
import { databaseNow } from "#sql/Database.ts"
import { type FollowedHost, readFollowedHosts } from "#sql/followUp.ts"
import { once } from "#sql/IdempotencyStore.ts"
import { insertJob } from "#sql/insertJob.ts"
import { getJob } from "#sql/JobStore.ts"
import { missingHosts } from "#sql/planTargets.ts"
import { draftJob } from "./draftJob.ts"

const notUndoable = (hosts: ReadonlyArray<FollowedHost>, reasons: ReadonlyArray<string>) =>
  new Conflict({
    code: "not_undoable",
    message: `${hosts.length === 1 ? "One host" : `${hosts.length} hosts`} cannot be undone this way. ${reasons[0] ?? ""}`,
    details: { host_ids: hosts.map((host) => host.host_id), differences: reasons }
  })

/** Why nothing can be undone on this host; null where something can be tried. */
const obstacle = (host: FollowedHost, method: NewRollback["method"]): string | null => {
  const { host_name, ended, ran, agent_job_id, effects } = host
  if (!ended) return `${host_name}: the job has not ended there.`
  if (!ran) return `${host_name}: the job did not run there, so there is nothing to undo.`
  if (method === "agent" && agent_job_id === null) return `${host_name}: the agent's own job is not known.`
  if (effects === null) return `${host_name}: what the run changed was never read.`
  if (effects.length === 0) return `${host_name}: the run changed no package.`
  return null
}

export const draftRollback = Effect.fnUntraced(function* (caller: Caller, id: JobId, rollback: NewRollback) {
  const fault = timeFault(rollback, yield* databaseNow)
  if (fault !== null) return yield* refuseField(fault.path, fault.message)
  const parent = yield* getJob(caller.principal, id)
  if (parent.kind === "reboot") {
    return yield* new Conflict({
      code: "not_undoable",
      message: "A restart changes no packages, so there is nothing to undo."
    })
  }
  const hosts = yield* readFollowedHosts(caller.principal, id)
  const known = new Set(hosts.map((host) => host.host_id))
  const missing = (rollback.host_ids ?? []).filter((one) => !known.has(one))
  if (missing.length > 0) return yield* missingHosts(missing)
  const named = rollback.host_ids === undefined ? null : new Set(rollback.host_ids)
  const wanted = named === null ? hosts.filter((host) => host.ran) : hosts.filter((host) => named.has(host.host_id))
  if (wanted.length === 0) {
    return yield* new Conflict({
      code: "not_undoable",
      message: `Job ${parent.number} ran on no host, so there is nothing to undo.`
    })
  }
  const obstacles = wanted.flatMap((host) => obstacle(host, rollback.method) ?? [])
  if (obstacles.length > 0) {
    return yield* notUndoable(
      wanted.filter((host) => obstacle(host, rollback.method) !== null),
      obstacles
    )
  }
  const draft = yield* draftJob(
    caller,
    { target: { kind: "hosts" }, host_ids: wanted.map((host) => host.host_id) },
    { ...rollback, kind: "rollback", parent_job_id: id }
  )
  const impossible = draft.plan.hosts.filter((host) => rollback.method === "versions" && host.changes?.length === 0)
  if (impossible.length > 0) {
    const ids = new Set(impossible.map((host) => host.host_id))
    return yield* notUndoable(
      wanted.filter((host) => ids.has(host.host_id)),
      impossible.map((host) => `${host.host_name}: ${host.undo.because}`)
    )
  }
  return draft
})

/** The same answer again for the same key. */
export const rollbackJob = Effect.fnUntraced(function* (caller: Caller, key: string, id: JobId, rollback: NewRollback) {
  const change = Effect.flatMap(draftRollback(caller, id, rollback), ({ order }) => insertJob(caller, order))
  const request = { caller, key, operation: "jobs.rollback", request: [id, rollback], status: 201 }
  return (yield* once(request, change)).answer
})
