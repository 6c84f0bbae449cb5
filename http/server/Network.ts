/** The networks of the contract, over sql/NetworkStore.ts. */
import { Effect } from "effect"
import { HttpServerRequest } from "effect/http"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import type { NetworkAccess, NetworkChange } from "#core/AllowList.ts"
import { Api } from "#http/api/Api.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import { changeNetwork, confirmNetwork, readNetworkPolicy, type StoredNetwork } from "#sql/NetworkStore.ts"
import { AllowList, letsIn, sourceOf } from "./AllowList.ts"
import { readIfMatch } from "./ifMatch.ts"
import { sourceAddress } from "./sourceAddress.ts"
import { answered } from "./translate.ts"

const tagged = ({ pending, policy, version }: StoredNetwork) =>
  Effect.map(HttpServerRequest.HttpServerRequest, (request) => {
    const body: NetworkAccess = {
      ...policy,
      version,
      your_address: sourceAddress(request),
      pending:
        pending === null
          ? null
          : { confirm_by: pending.confirm_by, changed_by: pending.changed_by, previous: pending.previous }
    }
    return HttpApiSchema.withHeaders({ body, headers: { etag: `"${version}"` } })
  })

/** What was changed here counts here at once; the other web processes follow within a second. */
const applied = (stored: StoredNetwork) =>
  Effect.andThen(
    Effect.map(AllowList, ({ apply }) => apply(stored)),
    tagged(stored)
  )

const update = Effect.fnUntraced(function* (ifMatch: string | undefined, change: NetworkChange) {
  const caller = yield* CurrentCaller
  const version = yield* readIfMatch(ifMatch, "networks")
  const source = sourceOf(yield* HttpServerRequest.HttpServerRequest)
  const stored = yield* changeNetwork(caller, version, change, letsIn(source))
  return yield* tagged(stored)
})

const confirm = Effect.fnUntraced(function* (ifMatch: string | undefined) {
  const caller = yield* CurrentCaller
  const version = yield* readIfMatch(ifMatch, "networks")
  const source = sourceOf(yield* HttpServerRequest.HttpServerRequest)
  return yield* applied(yield* confirmNetwork(caller, version, letsIn(source)))
})

export const layer = HttpApiBuilder.group(Api, "network", (handlers) =>
  handlers.handleAll({
    get: () => answered(Effect.flatMap(readNetworkPolicy, tagged)),
    update: ({ headers, payload }) => answered(update(headers["if-match"], payload)),
    confirm: ({ headers }) => answered(confirm(headers["if-match"]))
  })
)
