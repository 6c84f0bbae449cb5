/** Which hosts a job is for, frozen: a group or a filter becomes the hosts that are meant now. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { NotFound, refuseField } from "#core/Errors.ts"
import type { HostFilter } from "#core/HostFilter.ts"
import type { GroupId, HostId } from "#core/Ids.ts"
import type { JobDetail } from "#core/Job.ts"
import type { Principal } from "#core/User.ts"
import { mustSeeGroup } from "./groupScope.ts"
import { hostConditions } from "./hostList.ts"
import { hostSources } from "./hostColumns.ts"

export const MAX_JOB_HOSTS = 10_000

export type TargetRequest =
  | { readonly kind: "hosts"; readonly host_ids: ReadonlyArray<HostId> }
  | { readonly kind: "group"; readonly group_id: GroupId }
  | { readonly kind: "filter"; readonly filter: HostFilter }

export interface FrozenTarget {
  readonly target: JobDetail["target"]
  readonly host_ids: ReadonlyArray<HostId>
}

const groupName = Effect.fnUntraced(function* (id: GroupId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ name: string }>`select name from groups where id = ${id}`
  return rows[0]?.name ?? ""
})

/** By name, without hosts that are being removed. NotFound for a group out of sight. */
export const freezeTarget = Effect.fnUntraced(function* (principal: Principal, request: TargetRequest) {
  if (request.kind === "hosts") {
    const frozen: FrozenTarget = { target: { kind: "hosts" }, host_ids: request.host_ids }
    return frozen
  }
  const sql = yield* SqlClient.SqlClient
  const group = request.kind === "group" ? request.group_id : request.filter.group
  if (group !== undefined) yield* mustSeeGroup(principal, group)
  const { where } = hostConditions(
    sql,
    principal,
    request.kind === "group" ? { group: request.group_id } : request.filter
  )
  const rows = yield* sql<{ id: HostId }>`
    select h.id ${sql.literal(hostSources)} where ${where} and h.removal_requested_at is null
    order by h.display_name, h.id limit ${MAX_JOB_HOSTS + 1}`
  const path = request.kind === "group" ? "payload.group_id" : "payload.filter"
  if (rows.length === 0) {
    return yield* refuseField(
      path,
      request.kind === "group" ? "No host of this group is in sight." : "No host matches this filter."
    )
  }
  if (rows.length > MAX_JOB_HOSTS) {
    return yield* refuseField(
      path,
      `One job takes at most ${MAX_JOB_HOSTS} hosts, and these are more. Narrow the choice.`
    )
  }
  const frozen: FrozenTarget = {
    target:
      request.kind === "group"
        ? { kind: "group", group_id: request.group_id, name: yield* groupName(request.group_id) }
        : { kind: "filter", filter: request.filter },
    host_ids: rows.map((row) => row.id)
  }
  return frozen
})

/** For hosts that were named and are not there. */
export const missingHosts = (ids: ReadonlyArray<HostId>) =>
  new NotFound({
    code: "host_not_found",
    message: `${ids.length} of the chosen hosts do not exist among those you can see.`,
    details: { host_ids: ids }
  })
