/** The audit log: rows, checkpoints, verification and export. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { auditFilter, auditPeriod, AuditRow } from "#core/audit/AuditRow.ts"
import { Checkpoint } from "#core/audit/Checkpoint.ts"
import { AuditStatus, Verification } from "#core/audit/Verification.ts"
import { AuditVerificationId } from "#core/Ids.ts"
import { Cursor, page } from "#core/Page.ts"
import { Authentication } from "./Authentication.ts"
import { ConflictWire, NotFoundWire } from "./Errors.ts"
import { IdempotencyKey, limit } from "./Hosts.ts"
import { RequiredPermission } from "./RequiredPermission.ts"

const params = { id: AuditVerificationId }
const paging = { cursor: Schema.optional(Cursor), limit: limit(200) }

export class Audit extends HttpApiGroup.make("audit")
  .add(
    /** Newest first. `total` stops at 10,000. */
    HttpApiEndpoint.get("list", "/", { query: { ...auditFilter, ...paging }, success: page(AuditRow) }).annotate(
      RequiredPermission,
      "audit:read"
    ),
    HttpApiEndpoint.get("status", "/status", { success: AuditStatus }).annotate(RequiredPermission, "audit:read"),
    /** Newest first. */
    HttpApiEndpoint.get("checkpoints", "/checkpoints", { query: paging, success: page(Checkpoint) }).annotate(
      RequiredPermission,
      "audit:read"
    ),
    /** Lines of JSON; docs/audit.md describes them, tools/verify-audit.mjs verifies them. */
    HttpApiEndpoint.get("export", "/export", {
      query: auditPeriod,
      success: HttpApiSchema.StreamUint8Array({ contentType: "application/x-ndjson" })
    }).annotate(RequiredPermission, "audit:export"),
    /** The worker carries it out; follow it by its id. */
    HttpApiEndpoint.post("verify", "/verifications", {
      headers: IdempotencyKey,
      success: Verification.pipe(HttpApiSchema.status(201)),
      error: ConflictWire
    }).annotate(RequiredPermission, "audit:verify"),
    HttpApiEndpoint.get("verifications", "/verifications", { query: paging, success: page(Verification) }).annotate(
      RequiredPermission,
      "audit:read"
    ),
    HttpApiEndpoint.get("verification", "/verifications/:id", {
      params,
      success: Verification,
      error: NotFoundWire
    }).annotate(RequiredPermission, "audit:read"),
    HttpApiEndpoint.post("cancelVerification", "/verifications/:id/cancel", {
      params,
      success: HttpApiSchema.Accepted,
      error: [NotFoundWire, ConflictWire]
    }).annotate(RequiredPermission, "audit:verify"),
    HttpApiEndpoint.get("get", "/:seq", {
      params: { seq: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })) },
      success: AuditRow,
      error: NotFoundWire
    }).annotate(RequiredPermission, "audit:read")
  )
  .middleware(Authentication)
  .prefix("/api/v1/audit")
  .annotateMerge(OpenApi.annotations({ title: "Audit" })) {}
