/** The audit log, as the REST API gives it. */
import type { AuditRow } from "#core/audit/AuditRow.ts"
import type { AuditStatus, Verification } from "#core/audit/Verification.ts"
import type { Page } from "#core/Page.ts"
import { getJson, post, postJson, send } from "./client.ts"

export interface AuditListRequest {
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly actor?: string | undefined
  readonly action?: string | undefined
  readonly object?: string | undefined
  readonly search?: string | undefined
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

export const listAuditRows = (request: AuditListRequest, signal?: AbortSignal): Promise<Page<AuditRow>> =>
  getJson("/api/v1/audit", { query: { ...request }, signal })

export const readAuditStatus = (signal?: AbortSignal): Promise<AuditStatus> =>
  getJson("/api/v1/audit/status", { signal })

export const startVerification = (key: string): Promise<Verification> =>
  postJson("/api/v1/audit/verifications", { headers: { "idempotency-key": key } })

export const cancelVerification = (id: string): Promise<void> =>
  post(`/api/v1/audit/verifications/${encodeURIComponent(id)}/cancel`)

export const exportAudit = async (period: {
  readonly from?: string | undefined
  readonly to?: string | undefined
}): Promise<Blob> => (await send("GET", "/api/v1/audit/export", { query: { ...period } })).blob()
