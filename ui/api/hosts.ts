/** Hosts, as the REST API gives and takes them. */
import type {
  HostChange,
  HostDetail,
  HostItem,
  HostJob,
  HostPackages,
  HostPatches,
  HostTransition,
  IssuedCertificate,
  NewHost
} from "#core/Host.ts"
import type { HostSummary } from "#core/HostState.ts"
import type { Page } from "#core/Page.ts"
import type { HostReasons } from "#core/Reason.ts"
import type { HostSort } from "#http/api/Hosts.ts"
import { getJson, getText, post, postJson, send } from "./client.ts"

export interface HostFilter {
  readonly q?: string | undefined
  readonly status?: ReadonlyArray<HostSummary> | undefined
  readonly os?: ReadonlyArray<string> | undefined
  readonly group?: string | undefined
  readonly pending?: "security" | "any" | undefined
  readonly reboot_needed?: boolean | undefined
}

export interface HostListRequest extends HostFilter {
  readonly sort?: HostSort | undefined
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

/** A page with the moment it was asked for; what arrived live after that is newer. */
export interface Fetched<A> extends Page<A> {
  readonly asked_at: number
}

const path = (id: string, rest = ""): string => `/api/v1/hosts/${encodeURIComponent(id)}${rest}`

export const listHosts = async (request: HostListRequest, signal?: AbortSignal): Promise<Fetched<HostItem>> => {
  const asked_at = performance.now()
  const page = await getJson<Page<HostItem>>("/api/v1/hosts", { query: { ...request }, signal })
  return { ...page, asked_at }
}

/** Every host that matches, page by page; for acting on all of them. */
export const listAllHosts = async (filter: HostFilter): Promise<ReadonlyArray<HostItem>> => {
  const all: Array<HostItem> = []
  let cursor: string | undefined
  do {
    const page: Page<HostItem> = await listHosts({ ...filter, limit: 500, cursor })
    all.push(...page.items)
    cursor = page.next_cursor ?? undefined
  } while (cursor !== undefined)
  return all
}

export const readHost = (id: string, signal?: AbortSignal): Promise<HostDetail> => getJson(path(id), { signal })

export const createHost = (host: NewHost, key: string): Promise<HostDetail> =>
  postJson("/api/v1/hosts", { body: host, headers: { "idempotency-key": key } })

export const changeHost = async (id: string, version: number, change: HostChange): Promise<HostDetail> => {
  const response = await send("PATCH", path(id), { body: change, headers: { "if-match": `"${version}"` } })
  return (await response.json()) as HostDetail
}

export const removeHost = async (id: string, force: boolean): Promise<void> => {
  await send("DELETE", path(id), { query: force ? { force } : {} })
}

export const readPackages = (id: string, signal?: AbortSignal): Promise<HostPackages> =>
  getJson(path(id, "/packages"), { signal })
export const readPatches = (id: string, signal?: AbortSignal): Promise<HostPatches> =>
  getJson(path(id, "/patches"), { signal })
/** Why it is not patched, for the host and for each pending package. */
export const readReasons = (id: string, signal?: AbortSignal): Promise<HostReasons> =>
  getJson(path(id, "/reasons"), { signal })
export const readTransitions = (id: string, cursor?: string, signal?: AbortSignal): Promise<Page<HostTransition>> =>
  getJson(path(id, "/transitions"), { query: { cursor, limit: 100 }, signal })
export const readHostJobs = (id: string, cursor?: string, signal?: AbortSignal): Promise<Page<HostJob>> =>
  getJson(path(id, "/jobs"), { query: { cursor, limit: 50 }, signal })

export const refreshHost = (id: string): Promise<void> => post(path(id, "/refresh"))
export const retryHost = (id: string): Promise<void> => post(path(id, "/retry"))
export const dismissHost = (id: string): Promise<void> => post(path(id, "/dismiss"))
export const settleHost = (id: string, verdict: "done" | "not_effective"): Promise<void> =>
  post(path(id, "/settle"), { body: { verdict } })

export const issueCertificate = (id: string): Promise<IssuedCertificate> => postJson(path(id, "/certificate"))
export const readCertificatePem = (id: string): Promise<string> => getText(path(id, "/client.crt"))
