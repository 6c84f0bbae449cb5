/** Requests to join, as the REST API gives and takes them. */
import type { Approval, Enrolment, EnrolmentState } from "#core/Enrolment.ts"
import type { Page } from "#core/Page.ts"
import { getJson, postJson } from "./client.ts"

const path = (id: string, rest = ""): string => `/api/v1/enrolments/${encodeURIComponent(id)}${rest}`

export interface EnrolmentListRequest {
  readonly state?: ReadonlyArray<EnrolmentState> | undefined
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

export const listEnrolments = (request: EnrolmentListRequest, signal?: AbortSignal): Promise<Page<Enrolment>> =>
  getJson("/api/v1/enrolments", { query: { ...request }, signal })

export const approveEnrolment = (id: string, approval: Approval, key: string): Promise<Enrolment> =>
  postJson(path(id, "/approve"), { body: approval, headers: { "idempotency-key": key } })

export const denyEnrolment = (id: string): Promise<Enrolment> => postJson(path(id, "/deny"))
