/** Groups and service checks, as the REST API gives and takes them. */
import type { GroupChange, GroupDeletion, GroupDetail, GroupHostsChanged, GroupItem, NewGroup } from "#core/Group.ts"
import type { HostItem } from "#core/Host.ts"
import type { HostId } from "#core/Ids.ts"
import type { Page } from "#core/Page.ts"
import type { GroupServiceChecks, HostServiceChecks } from "#core/ServiceCheck.ts"
import { getJson, postJson, send } from "./client.ts"

const path = (id: string, rest = ""): string => `/api/v1/groups/${encodeURIComponent(id)}${rest}`
const ofHost = (id: string): string => `/api/v1/hosts/${encodeURIComponent(id)}/service-checks`

interface GroupListRequest {
  readonly q?: string | undefined
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

export const listGroups = (request: GroupListRequest, signal?: AbortSignal): Promise<Page<GroupItem>> =>
  getJson("/api/v1/groups", { query: { ...request }, signal })

export const readGroup = (id: string, signal?: AbortSignal): Promise<GroupDetail> => getJson(path(id), { signal })

export const createGroup = (group: NewGroup, key: string): Promise<GroupDetail> =>
  postJson("/api/v1/groups", { body: group, headers: { "idempotency-key": key } })

const answerOf = async <A>(response: Promise<Response>): Promise<A> => (await (await response).json()) as A

export const changeGroup = (id: string, version: number, change: GroupChange): Promise<GroupDetail> =>
  answerOf(send("PATCH", path(id), { body: change, headers: { "if-match": `"${version}"` } }))

export const readGroupDeletion = (id: string, signal?: AbortSignal): Promise<GroupDeletion> =>
  getJson(path(id, "/deletion"), { signal })

export const deleteGroup = async (id: string, confirm_ungrouped: number): Promise<void> => {
  await send("DELETE", path(id), { query: { confirm_ungrouped } })
}

export const listGroupHosts = (
  id: string,
  request: { readonly q?: string | undefined; readonly cursor?: string | undefined; readonly limit: number },
  signal?: AbortSignal
): Promise<Page<HostItem>> => getJson(path(id, "/hosts"), { query: { ...request, sort: "name" }, signal })

export const addGroupHosts = (id: string, host_ids: ReadonlyArray<HostId>): Promise<GroupHostsChanged> =>
  postJson(path(id, "/hosts/add"), { body: { host_ids } })

export const removeGroupHosts = (id: string, host_ids: ReadonlyArray<HostId>): Promise<GroupHostsChanged> =>
  postJson(path(id, "/hosts/remove"), { body: { host_ids } })

export const replaceGroupUsers = (id: string, usernames: ReadonlyArray<string>): Promise<GroupDetail> =>
  answerOf(send("PUT", path(id, "/users"), { body: { usernames } }))

export const readGroupServices = (id: string, signal?: AbortSignal): Promise<GroupServiceChecks> =>
  getJson(path(id, "/service-checks"), { signal })

export const replaceGroupServices = async (id: string, services: ReadonlyArray<string>): Promise<void> => {
  await send("PUT", path(id, "/service-checks"), { body: { services } })
}

export const readHostServices = (id: string, signal?: AbortSignal): Promise<HostServiceChecks> =>
  getJson(ofHost(id), { signal })

export const replaceHostServices = async (id: string, services: ReadonlyArray<string>): Promise<void> => {
  await send("PUT", ofHost(id), { body: { services } })
}
