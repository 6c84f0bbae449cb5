/** The audit log of the contract. The worker verifies; here it is only asked to. */
import { Effect, Stream } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { SqlClient } from "effect/sql"
import type { AuditFilter } from "#core/audit/AuditRow.ts"
import { Api } from "#http/api/Api.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import { listCheckpoints } from "#sql/AuditCheckpointStore.ts"
import { exportAudit, type ExportPeriod } from "#sql/AuditExport.ts"
import {
  type AuditListRequest,
  getAuditRow,
  listAuditRows,
  readAuditStatus,
  recordAuditRead
} from "#sql/AuditLogStore.ts"
import { appendAudit, originOf } from "#sql/AuditStore.ts"
import {
  cancelVerification,
  getVerification,
  insertVerification,
  listVerifications
} from "#sql/AuditVerificationStore.ts"
import { once } from "#sql/IdempotencyStore.ts"
import { answered } from "./translate.ts"

const recorded = (filter: AuditFilter) => Effect.flatMap(CurrentCaller, (caller) => recordAuditRead(caller, filter))

/** A further page belongs to the look that was recorded with the first. */
const list = (request: AuditListRequest) => {
  const { cursor, limit: _, ...filter } = request
  return cursor === undefined ? Effect.andThen(recorded(filter), listAuditRows(request)) : listAuditRows(request)
}

/** Recorded before the first byte leaves. */
const exported = Effect.fnUntraced(function* (period: ExportPeriod) {
  const caller = yield* CurrentCaller
  yield* appendAudit(originOf(caller), {
    action: "audit.export",
    object_type: "audit_log",
    object_id: "audit_log",
    before: null,
    after: period.from === undefined && period.to === undefined ? null : { from: period.from, to: period.to }
  })
  const sql = yield* SqlClient.SqlClient
  return exportAudit(period).pipe(Stream.encodeText, Stream.provideService(SqlClient.SqlClient, sql))
})

const verify = Effect.fnUntraced(function* (key: string) {
  const caller = yield* CurrentCaller
  const request = { caller, key, operation: "audit.verify", request: {}, status: 201 }
  return (yield* once(request, insertVerification(caller))).answer
})

export const layer = HttpApiBuilder.group(Api, "audit", (handlers) =>
  handlers.handleAll({
    list: ({ query }) => answered(list(query)),
    status: () => answered(readAuditStatus),
    checkpoints: ({ query }) => answered(listCheckpoints(query)),
    export: ({ query }) => answered(exported(query)),
    verify: ({ headers }) => answered(verify(headers["idempotency-key"])),
    verifications: ({ query }) => answered(listVerifications(query)),
    verification: ({ params }) => answered(getVerification(params.id)),
    cancelVerification: ({ params }) =>
      answered(Effect.flatMap(CurrentCaller, (caller) => cancelVerification(caller, params.id))),
    get: ({ params }) => answered(Effect.andThen(recorded({ object: `row/${params.seq}` }), getAuditRow(params.seq)))
  })
)
