/** One opening decided: its record, its job and the audit row in one transaction, so that it is decided once whatever happens. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { newRequestId } from "#core/newId.ts"
import { type DueFiring, GRACE } from "#core/window/firings.ts"
import { durationWords } from "#core/window/words.ts"
import { appendAudit } from "#sql/AuditStore.ts"
import { insertRun, settleRun } from "#sql/WindowRunStore.ts"
import { reach } from "../hosts/Failpoint.ts"
import { applyWindow, policyName } from "./applyWindow.ts"

const minutes = (ms: number): string => durationWords(Math.max(1, Math.round(ms / 60_000)))

const noteOf = ({ firing, outcome, window }: DueFiring, now: number): string => {
  switch (outcome) {
    case "fired": {
      const late = now - firing.fires_at
      return late > GRACE
        ? `The manager was not there when the window opened; the job was made ${minutes(late)} late.`
        : "The job was made when the window opened."
    }
    case "missed":
      if (window.auto_apply === null)
        return "Nothing was started: the manager was off while the window was open. The jobs that waited for it wait for the next one."
      return now >= firing.ends_at
        ? "Nothing was done: the manager was off while the window was open."
        : "Nothing was done: the manager was off when the window opened, and what was left of it was too short."
    case "nothing":
      return "Nothing was done: the window holds for no host. Put hosts into its group, or give it to other ones."
    case "refused":
      return "Nothing was done: a blackout covers the whole opening on all of its hosts."
  }
}

/** False where somebody else decided it before, or the window was changed meanwhile. */
export const carryOut = (epoch: number, due: DueFiring, now: number) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        const { window, firing } = due
        const run = {
          window_id: firing.window_id,
          opens_at: firing.opens_at,
          closes_at: firing.closes_at,
          outcome: due.outcome,
          hosts: firing.host_ids.length,
          note: noteOf(due, now)
        }
        if (!(yield* insertRun(epoch, window.version, run))) return false
        const made =
          due.outcome === "fired" && window.auto_apply !== null
            ? yield* applyWindow(window, window.auto_apply, firing, now)
            : null
        const gone = due.outcome === "fired" && made === null
        const settled = gone
          ? {
              ...run,
              outcome: "nothing" as const,
              hosts: 0,
              note: "Nothing was done: all of its hosts were removed meanwhile."
            }
          : { ...run, hosts: made?.hosts.length ?? run.hosts }
        if (due.outcome === "fired") yield* settleRun(settled, made?.job_id ?? null)
        yield* reach("window_pending")
        yield* appendAudit(
          {
            actor: { kind: "machine", id: "worker", name: policyName(window) },
            request_id: newRequestId(),
            source_address: "local"
          },
          {
            action: made === null ? `window.${settled.outcome}` : "job.create",
            object_type: made === null ? "window" : "job",
            object_id: made?.job_id ?? window.id,
            before: null,
            after: {
              window_id: window.id,
              opens_at: new Date(firing.opens_at).toISOString(),
              outcome: settled.outcome,
              note: settled.note,
              host_ids: made?.hosts ?? firing.host_ids
            }
          }
        )
        return true
      })
    )
  )
