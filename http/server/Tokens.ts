/** API tokens over REST. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import type { ApiTokenMade, NewApiToken } from "#core/ApiToken.ts"
import { NotFound, refuseField } from "#core/Errors.ts"
import { tokenPermissions } from "#core/Permission.ts"
import { Api } from "#http/api/Api.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import { once } from "#sql/IdempotencyStore.ts"
import { getToken, knownGroups, listTokens, revokeToken } from "#sql/TokenStore.ts"
import { authorize } from "./authorize.ts"
import { issueToken } from "./createToken.ts"
import { answered } from "./translate.ts"

const SECONDS_A_DAY = 86_400

const list = Effect.fnUntraced(function* (query: {
  readonly all?: "true" | "false" | undefined
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}) {
  const { principal } = yield* CurrentCaller
  const all = query.all === "true"
  if (all) yield* authorize(principal, "tokens:read")
  return yield* listTokens(all ? null : principal.user_id, query)
})

const create = Effect.fnUntraced(function* (key: string, wanted: NewApiToken) {
  const caller = yield* CurrentCaller
  const { principal } = caller
  const group_ids = wanted.group_ids ?? null
  const possible = tokenPermissions(principal.role, group_ids !== null)
  const excess = wanted.permissions.filter((permission) => !possible.includes(permission))
  if (excess.length > 0) {
    return yield* refuseField(
      "payload.permissions",
      `A token of yours${group_ids === null ? "" : ", bounded to groups,"} cannot have ${excess.join(", ")}.`
    )
  }
  if (group_ids !== null) {
    const known = yield* knownGroups(group_ids)
    const foreign = group_ids.filter(
      (id) => !known.has(id) || (principal.role === "operator" && !principal.group_ids.includes(id))
    )
    if (foreign.length > 0) {
      return yield* new NotFound({ code: "group_not_found", message: "There is no such group." })
    }
  }
  let secret: string | null = null
  const request = { caller, key, operation: "tokens.create", request: wanted, status: 201 }
  // The answer that is kept for a repetition has no token in it: that exists nowhere but in the first answer.
  const { answer } = yield* once(
    request,
    Effect.gen(function* () {
      const made = yield* issueToken({
        user_id: principal.user_id,
        name: wanted.name,
        permissions: wanted.permissions,
        group_ids,
        expires_in_seconds: wanted.expires_in_days * SECONDS_A_DAY
      })
      const token = yield* getToken(made.id)
      if (token === null) return yield* Effect.die(new Error("The token just made is not there."))
      secret = made.secret
      return { answer: token, audit: made.audit }
    })
  )
  const made: ApiTokenMade = { ...answer, token: secret }
  return made
})

export const layer = HttpApiBuilder.group(Api, "tokens", (handlers) =>
  handlers.handleAll({
    list: ({ query }) => answered(list(query)),
    create: ({ headers, payload }) => answered(create(headers["idempotency-key"], payload)),
    revoke: ({ params }) => answered(Effect.flatMap(CurrentCaller, (caller) => revokeToken(caller, params.id)))
  })
)
