/** Discovery, as the REST API gives and takes it. */
import type {
  DiscoveryResult,
  DiscoveryScan,
  NewScan,
  Registering,
  RegisterOutcomes,
  Verdict
} from "#core/Discovery.ts"
import type { Page } from "#core/Page.ts"
import { getJson, post, postJson } from "./client.ts"

const path = (id: string, rest = ""): string => `/api/v1/discovery/scans/${encodeURIComponent(id)}${rest}`

export const startScan = (scan: NewScan, key: string): Promise<DiscoveryScan> =>
  postJson("/api/v1/discovery/cidr", { body: scan, headers: { "idempotency-key": key } })

export const listScans = (signal?: AbortSignal): Promise<Page<DiscoveryScan>> =>
  getJson("/api/v1/discovery/scans", { query: { limit: 20 }, signal })

export const readScan = (id: string, signal?: AbortSignal): Promise<DiscoveryScan> => getJson(path(id), { signal })

/** All at once: a scan has 1,024 addresses at most. */
export const readResults = (
  id: string,
  verdict: ReadonlyArray<Verdict> | undefined,
  signal?: AbortSignal
): Promise<Page<DiscoveryResult>> => getJson(path(id, "/results"), { query: { verdict, limit: 1024 }, signal })

export const cancelScan = (id: string): Promise<void> => post(path(id, "/cancel"))

export const registerFound = (id: string, body: Registering, key: string): Promise<RegisterOutcomes> =>
  postJson(path(id, "/register"), { body, headers: { "idempotency-key": key } })
