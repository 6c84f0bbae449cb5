/** The users of the contract, over sql/userList.ts and sql/userChanges.ts. */
import { Effect } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import type { UserId } from "#core/Ids.ts"
import type { NewUser, PasswordReset, UserAccount, UserChange, UserMade } from "#core/UserAccount.ts"
import { Api } from "#http/api/Api.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import { once } from "#sql/IdempotencyStore.ts"
import { deleteUser, insertAccount, resetFactors, resetPassword, updateUser } from "#sql/userChanges.ts"
import { getUser, listUsers } from "#sql/userList.ts"
import { readIfMatch } from "./ifMatch.ts"
import { PasswordHasher } from "./PasswordHasher.ts"
import { temporaryPassword } from "./temporaryPassword.ts"
import { answered } from "./translate.ts"

const tagged = (user: UserAccount) => HttpApiSchema.withHeaders({ body: user, headers: { etag: `"${user.version}"` } })

/** The password is no part of the kept answer: a repetition of the request does not say it again. */
const create = Effect.fnUntraced(function* (key: string, user: NewUser) {
  const caller = yield* CurrentCaller
  const hasher = yield* PasswordHasher
  const password = temporaryPassword()
  const hash = yield* hasher.hash(password)
  const request = { caller, key, operation: "users.create", request: user, status: 201 }
  const { answer, replayed } = yield* once(request, insertAccount(user, hash))
  const made: UserMade = { user: answer, temporary_password: replayed ? null : password }
  return made
})

const update = Effect.fnUntraced(function* (id: UserId, ifMatch: string | undefined, change: UserChange) {
  const caller = yield* CurrentCaller
  const version = yield* readIfMatch(ifMatch, "account")
  return tagged(yield* updateUser(caller, id, version, change))
})

const newPassword = Effect.fnUntraced(function* (id: UserId) {
  const caller = yield* CurrentCaller
  const hasher = yield* PasswordHasher
  const password = temporaryPassword()
  const sessions_ended = yield* resetPassword(caller, id, yield* hasher.hash(password))
  const reset: PasswordReset = { temporary_password: password, sessions_ended }
  return reset
})

export const layer = HttpApiBuilder.group(Api, "users", (handlers) =>
  handlers.handleAll({
    list: ({ query }) => answered(listUsers(query)),
    create: ({ headers, payload }) => answered(create(headers["idempotency-key"], payload)),
    get: ({ params }) => answered(Effect.map(getUser(params.id), tagged)),
    update: ({ params, headers, payload }) => answered(update(params.id, headers["if-match"], payload)),
    remove: ({ params }) => answered(Effect.flatMap(CurrentCaller, (caller) => deleteUser(caller, params.id))),
    resetFactors: ({ params }) => answered(Effect.flatMap(CurrentCaller, (caller) => resetFactors(caller, params.id))),
    resetPassword: ({ params }) => answered(newPassword(params.id))
  })
)
