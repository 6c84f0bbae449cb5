/** An audit log with a key, a file outside and both verifiers, and the tools of somebody who owns the database. */
import { execFile } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Stream } from "effect"
import { auditPublicKeyFile, loadAuditKey } from "#actors/audit/AuditKey.ts"
import { makeCheckpointer } from "#actors/audit/Checkpointer.ts"
import { runVerification } from "#actors/audit/runVerification.ts"
import type { Checkpoint } from "#core/audit/Checkpoint.ts"
import { exportAudit, type ExportPeriod } from "#sql/AuditExport.ts"
import { appendAudit } from "#sql/AuditStore.ts"
import { claimVerification, getVerification, insertOwnVerification } from "#sql/AuditVerificationStore.ts"
import { nobody, startTestStores } from "./testStores.ts"

const verifier = new URL("../../tools/verify-audit.mjs", import.meta.url).pathname

export interface Told {
  readonly kind: string
  readonly first_seq: number
}

export const startAuditWorld = async () => {
  const stores = await startTestStores()
  const folder = mkdtempSync(join(tmpdir(), "pm-audit-"))
  const outsideFile = join(folder, "audit-checkpoints.ndjson")
  const key = await Effect.runPromise(loadAuditKey(folder))
  const points: Array<Checkpoint> = []

  /** A worker that has just started: it looks at the file and the database anew. */
  const checkpointer = () =>
    stores.run(makeCheckpointer({ key, outsideFile, made: (point) => Effect.sync(() => void points.push(point)) }))

  /** So many rows, each with a before and an after. */
  const append = (count: number) =>
    stores.run(
      Effect.forEach(
        Array.from({ length: count }, (_, n) => n),
        (n) =>
          appendAudit(nobody, {
            action: "host.edit",
            object_type: "host",
            object_id: `host-${n}`,
            before: { display_name: `ä "${n}"`, port: n },
            after: n % 3 === 0 ? null : { display_name: "b\\c", tags: ["x", "y"] }
          }),
        { discard: true }
      )
    )

  /** A checkpoint for what is there now, as if 60 seconds had gone by. */
  const checkpoint = async () => {
    const [head] = await stores.rows<{ seq: number }>("select seq::int as seq from audit_head")
    const first = points.length === 0 ? await checkpointer() : undefined
    if (first !== undefined) return stores.run(first.look)
    const { sign } = await stores.run(
      makeCheckpointer({ key, outsideFile, made: (point) => Effect.sync(() => void points.push(point)) })
    )
    await stores.run(sign(head?.seq ?? 0))
  }

  const verify = async () => {
    await stores.run(insertOwnVerification("test"))
    const run = await stores.run(claimVerification)
    if (run === null) throw new Error("There is no run to carry out")
    await stores.run(runVerification(run, { outsideFile, trusted: key.trusted }))
    return stores.run(getVerification(run.id))
  }

  const exportTo = async (name: string, period: ExportPeriod = {}) => {
    const file = join(folder, name)
    const parts = await stores.run(Stream.runCollect(exportAudit(period)))
    writeFileSync(file, parts.join(""))
    return file
  }

  /** What the stand-alone verifier says: its exit code, its findings and all its words. */
  const offline = (file: string, withOutside = true) =>
    new Promise<{ readonly code: number; readonly found: ReadonlyArray<Told>; readonly text: string }>((resolve) => {
      const args = [verifier, file, "--key", auditPublicKeyFile(folder)]
      execFile(
        process.execPath,
        withOutside ? [...args, "--checkpoints", outsideFile] : args,
        { timeout: 60_000 },
        (error, stdout, stderr) => {
          const found = [...stdout.matchAll(/^FOUND (\w+) first (\d+)/gm)].map(([, kind = "", seq]) => ({
            kind,
            first_seq: Number(seq)
          }))
          resolve({ code: typeof error?.code === "number" ? error.code : 0, found, text: stdout + stderr })
        }
      )
    })

  /** As the owner of the database, with the triggers off. */
  const tamper = async (...statements: ReadonlyArray<string>) => {
    await stores.rows("alter table audit_log disable trigger all")
    for (const statement of statements) await stores.rows(statement)
    await stores.rows("alter table audit_log enable trigger all")
  }

  const stop = async () => {
    await stores.stop()
    rmSync(folder, { recursive: true, force: true })
  }

  return {
    ...stores,
    folder,
    outsideFile,
    key,
    points,
    checkpointer,
    append,
    checkpoint,
    verify,
    exportTo,
    offline,
    tamper,
    stop
  }
}

export type AuditWorld = Awaited<ReturnType<typeof startAuditWorld>>

/** Hashes all rows from this number on anew, and the head with them: what an owner of the database can do. */
export const rehashFrom = (seq: number): string => `
  do $$
  declare entry audit_log; previous bytea;
  begin
    select row_hash into previous from audit_log where seq = ${seq} - 1;
    previous := coalesce(previous, decode(repeat('00', 32), 'hex'));
    for entry in select * from audit_log where seq >= ${seq} order by seq loop
      entry.prev_hash := previous;
      entry.row_hash := sha256(audit_canonical(entry));
      update audit_log set prev_hash = entry.prev_hash, row_hash = entry.row_hash where seq = entry.seq;
      previous := entry.row_hash;
    end loop;
    update audit_head set seq = (select max(seq) from audit_log), row_hash = previous;
  end $$`
