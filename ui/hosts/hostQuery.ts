/** The host list's filter and order as they stand in the address: one link shows everybody the same list. */
import type { HostSummary } from "#core/HostState.ts"
import type { HostSort } from "#http/api/Hosts.ts"
import type { HostFilter } from "../api/hosts.ts"
import { summaries } from "../format/states.ts"

export interface HostQuery extends HostFilter {
  readonly sort: HostSort
}

/** Parameters as the router gives them. */
export type Parameters = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

export const USUAL_SORT: HostSort = "status"

const sorts: ReadonlyArray<HostSort> = [
  "name",
  "-name",
  "status",
  "-status",
  "pending",
  "-pending",
  "security",
  "-security",
  "last_seen",
  "-last_seen"
]

const one = (value: Parameters[string]): string | undefined => {
  const first = typeof value === "object" ? value[0] : value
  return first === undefined || first === "" ? undefined : first
}

const many = (value: Parameters[string]): ReadonlyArray<string> =>
  (typeof value === "object" ? value : [value ?? ""]).flatMap((text) => text.split(",")).filter((text) => text !== "")

const isId = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
const isSummary = (text: string): text is HostSummary => Object.hasOwn(summaries, text)

/** What is not understood is left out rather than sent. */
export const readHostQuery = (parameters: Parameters): HostQuery => {
  const status = many(parameters["status"]).filter(isSummary)
  const os = many(parameters["os"])
  const group = one(parameters["group"])
  const pending = one(parameters["pending"])
  const reboot = one(parameters["reboot"])
  return {
    q: one(parameters["q"]),
    status: status.length > 0 ? status : undefined,
    os: os.length > 0 ? os : undefined,
    group: group !== undefined && isId(group) ? group : undefined,
    pending: pending === "security" || pending === "any" ? pending : undefined,
    reboot_needed: reboot === "yes" ? true : reboot === "no" ? false : undefined,
    sort: sorts.find((sort) => sort === one(parameters["sort"])) ?? USUAL_SORT
  }
}

/** Undefined removes a parameter from the address. */
export const writeHostQuery = (change: Partial<HostQuery>): Record<string, string | undefined> => {
  const parameters: Record<string, string | undefined> = {}
  if ("q" in change) parameters["q"] = change.q
  if ("status" in change) parameters["status"] = change.status?.join(",")
  if ("os" in change) parameters["os"] = change.os?.join(",")
  if ("group" in change) parameters["group"] = change.group
  if ("pending" in change) parameters["pending"] = change.pending
  if ("reboot_needed" in change) {
    parameters["reboot"] = change.reboot_needed === undefined ? undefined : change.reboot_needed ? "yes" : "no"
  }
  if ("sort" in change) parameters["sort"] = change.sort === USUAL_SORT ? undefined : change.sort
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, value === "" ? undefined : value]))
}

export const hostFilter = (query: HostQuery): HostFilter => ({
  q: query.q,
  status: query.status,
  os: query.os,
  group: query.group,
  pending: query.pending,
  reboot_needed: query.reboot_needed
})

export interface FilterTag {
  readonly words: string
  /** What the query becomes without it. */
  readonly without: Partial<HostQuery>
}

/** Each filter in words, for the tags above the list and for the sentence when nothing matches. */
export const filterTags = (query: HostQuery): ReadonlyArray<FilterTag> => {
  const tags: Array<FilterTag> = []
  if (query.q !== undefined) tags.push({ words: `Name or address has “${query.q}”`, without: { q: undefined } })
  if (query.status !== undefined) {
    const names = query.status.map((status) => summaries[status].word.toLowerCase())
    tags.push({ words: `State is ${names.join(" or ")}`, without: { status: undefined } })
  }
  if (query.pending !== undefined) {
    tags.push({
      words: query.pending === "security" ? "Security updates pending" : "Updates pending",
      without: { pending: undefined }
    })
  }
  if (query.reboot_needed !== undefined) {
    tags.push({
      words: query.reboot_needed ? "Reboot needed" : "No reboot needed",
      without: { reboot_needed: undefined }
    })
  }
  if (query.group !== undefined) tags.push({ words: "In one group", without: { group: undefined } })
  if (query.os !== undefined) tags.push({ words: `System is ${query.os.join(" or ")}`, without: { os: undefined } })
  return tags
}
