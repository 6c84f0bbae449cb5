/** The groups of the contract, over sql/GroupStore.ts and its neighbours. */
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import type { GroupChange, GroupDetail, NewGroup } from "#core/Group.ts"
import type { GroupId, HostId } from "#core/Ids.ts"
import { Api } from "#http/api/Api.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import { changeGroupHosts, type MembersChange, replaceGroupUsers } from "#sql/groupMembers.ts"
import {
  deleteGroup,
  getGroup,
  insertGroup,
  listGroups,
  readGroupDeletion,
  refuseGroupName,
  updateGroup
} from "#sql/GroupStore.ts"
import { listHosts, type HostListRequest } from "#sql/hostList.ts"
import { once } from "#sql/IdempotencyStore.ts"
import {
  readGroupServiceChecks,
  readHostServiceChecks,
  replaceGroupServiceChecks,
  replaceHostServiceChecks
} from "#sql/ServiceCheckStore.ts"
import { readIfMatch } from "./ifMatch.ts"
import { answered } from "./translate.ts"

const tagged = (group: GroupDetail) =>
  HttpApiSchema.withHeaders({ body: group, headers: { etag: `"${group.version}"` } })

const create = Effect.fnUntraced(function* (key: string, group: NewGroup) {
  const caller = yield* CurrentCaller
  const request = { caller, key, operation: "groups.create", request: group, status: 201 }
  return (yield* refuseGroupName(once(request, insertGroup(caller, group)))).answer
})

const update = Effect.fnUntraced(function* (id: GroupId, ifMatch: string | undefined, change: GroupChange) {
  const caller = yield* CurrentCaller
  const version = yield* readIfMatch(ifMatch, "group")
  return tagged(yield* refuseGroupName(updateGroup(caller, id, version, change)))
})

const hosts = Effect.fnUntraced(function* (id: GroupId, query: Omit<HostListRequest, "group">) {
  const { principal } = yield* CurrentCaller
  const text = yield* listHosts(principal, { ...query, group: id })
  return HttpServerResponse.text(text, { contentType: "application/json" })
})

const changeHosts = (id: GroupId, change: MembersChange, ids: ReadonlyArray<HostId>) =>
  answered(Effect.flatMap(CurrentCaller, (caller) => changeGroupHosts(caller, id, change, ids)))

const replaceUsers = Effect.fnUntraced(function* (id: GroupId, usernames: ReadonlyArray<string>) {
  const caller = yield* CurrentCaller
  yield* replaceGroupUsers(caller, id, usernames)
  return tagged(yield* getGroup(caller.principal, id))
})

export const layer = HttpApiBuilder.group(Api, "groups", (handlers) =>
  handlers.handleAll({
    list: ({ query }) => answered(Effect.flatMap(CurrentCaller, ({ principal }) => listGroups(principal, query))),
    create: ({ headers, payload }) => answered(create(headers["idempotency-key"], payload)),
    get: ({ params }) =>
      answered(Effect.flatMap(CurrentCaller, ({ principal }) => Effect.map(getGroup(principal, params.id), tagged))),
    update: ({ params, headers, payload }) => answered(update(params.id, headers["if-match"], payload)),
    deletion: ({ params }) =>
      answered(Effect.flatMap(CurrentCaller, ({ principal }) => readGroupDeletion(principal, params.id))),
    remove: ({ params, query }) =>
      answered(Effect.flatMap(CurrentCaller, (caller) => deleteGroup(caller, params.id, query.confirm_ungrouped))),
    hosts: ({ params, query }) => answered(hosts(params.id, query)),
    replaceHosts: ({ params, payload }) => changeHosts(params.id, "replace", payload.host_ids),
    addHosts: ({ params, payload }) => changeHosts(params.id, "add", payload.host_ids),
    removeHosts: ({ params, payload }) => changeHosts(params.id, "remove", payload.host_ids),
    replaceUsers: ({ params, payload }) => answered(replaceUsers(params.id, payload.usernames)),
    serviceChecks: ({ params }) =>
      answered(Effect.flatMap(CurrentCaller, ({ principal }) => readGroupServiceChecks(principal, params.id))),
    replaceServiceChecks: ({ params, payload }) =>
      answered(
        Effect.flatMap(CurrentCaller, (caller) => replaceGroupServiceChecks(caller, params.id, payload.services))
      )
  })
)

export const serviceChecks = HttpApiBuilder.group(Api, "serviceChecks", (handlers) =>
  handlers.handleAll({
    get: ({ params }) =>
      answered(Effect.flatMap(CurrentCaller, ({ principal }) => readHostServiceChecks(principal, params.id))),
    replace: ({ params, payload }) =>
      answered(Effect.flatMap(CurrentCaller, (caller) => replaceHostServiceChecks(caller, params.id, payload.services)))
  })
)
