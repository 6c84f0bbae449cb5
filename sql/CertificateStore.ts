/** Host certificates: their metadata and PEM; never a private key. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { NotFound } from "#core/Errors.ts"
import type { Certificate } from "#core/Host.ts"
import { CertificateId, type HostId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import type { Caller, Principal } from "#core/User.ts"
import { appendAudit, originOf } from "./AuditStore.ts"
import { certificateColumns } from "./hostColumns.ts"
import { hostScope } from "./hostScope.ts"
import { hostNotFound } from "./HostStore.ts"

export interface MintedCertificate {
  readonly certificate_pem: string
  readonly serial: string
  readonly fingerprint_sha256: string
  readonly not_before: Date
  readonly not_after: Date
}

/** Keeps a new host certificate, revokes the ones before it and raises the host's trust generation. */
export const insertHostCertificate = (caller: Caller, host: HostId, minted: MintedCertificate) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        const found = yield* sql`
          update hosts h set trust_generation = trust_generation + 1
          where h.id = ${host} and h.removed_at is null and ${hostScope(sql, caller.principal)} returning h.id`
        if (found.length === 0) return yield* hostNotFound
        const revoked = yield* sql<{ serial: string }>`
          update certificates set revoked_at = now()
          where host_id = ${host} and kind = 'host' and revoked_at is null returning serial`
        const id = newId(CertificateId)
        yield* sql`
          insert into certificates
            (id, kind, host_id, subject, serial, fingerprint_sha256, certificate_pem, not_before, not_after, issued_by)
          values (${id}, 'host', ${host}, ${`CN=${host}`}, ${minted.serial}, ${minted.fingerprint_sha256},
            ${minted.certificate_pem}, ${minted.not_before}, ${minted.not_after}, ${caller.principal.username})`
        const rows = yield* sql<{ certificate: Certificate }>`
          select row_to_json(r) as certificate from (select ${sql.literal(certificateColumns)} from certificates c where c.id = ${id}) r`
        yield* sql`select pg_notify('worker', ${`host_changed ${host}`})`
        yield* appendAudit(originOf(caller), {
          action: "certificate.issue",
          object_type: "host",
          object_id: host,
          before: { revoked_serials: revoked.map((row) => row.serial) },
          after: { serial: minted.serial, fingerprint_sha256: minted.fingerprint_sha256 }
        })
        return rows[0]!.certificate
      })
    )
  )

/** The certificate in force, as PEM. */
export const readHostCertificate = Effect.fnUntraced(function* (principal: Principal, host: HostId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ pem: string | null }>`
    select (select c.certificate_pem from certificates c where c.host_id = h.id and c.kind = 'host' and c.revoked_at is null
      order by c.issued_at desc limit 1) as pem
    from hosts h where h.id = ${host} and h.removed_at is null and ${hostScope(sql, principal)}`
  const row = rows[0]
  if (row === undefined) return yield* hostNotFound
  if (row.pem === null) {
    return yield* new NotFound({
      code: "certificate_not_found",
      message: "No certificate was issued for this host yet. Issue one on its page."
    })
  }
  return row.pem
})
