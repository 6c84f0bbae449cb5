/** The holds of the contract, over sql/HoldStore.ts. */
import { Clock, Effect } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import { refuseField } from "#core/Errors.ts"
import type { Hold, HoldChange, NewHold } from "#core/Hold.ts"
import type { HoldId } from "#core/Ids.ts"
import { Api } from "#http/api/Api.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import { endHold, getHold, insertHold, listHolds, updateHold } from "#sql/HoldStore.ts"
import { once } from "#sql/IdempotencyStore.ts"
import { readIfMatch } from "./ifMatch.ts"
import { answered } from "./translate.ts"

const tagged = (hold: Hold) => HttpApiSchema.withHeaders({ body: hold, headers: { etag: `"${hold.version}"` } })

/** In UTC. A hold that ended in the past would only look like one. */
const checkUntil = Effect.fnUntraced(function* (until: string | null) {
  if (until === null) return null
  const at = Date.parse(until)
  if (at <= (yield* Clock.currentTimeMillis)) {
    return yield* refuseField(
      "payload.until",
      "This moment has passed. Give one to come, or null to hold until somebody ends it."
    )
  }
  return new Date(at).toISOString()
})

const create = Effect.fnUntraced(function* (key: string, hold: NewHold) {
  const caller = yield* CurrentCaller
  const until = yield* checkUntil(hold.until ?? null)
  const request = { caller, key, operation: "holds.create", request: hold, status: 201 }
  return (yield* once(request, insertHold(caller, { ...hold, until }))).answer
})

const update = Effect.fnUntraced(function* (id: HoldId, ifMatch: string | undefined, change: HoldChange) {
  const caller = yield* CurrentCaller
  const version = yield* readIfMatch(ifMatch, "hold")
  const moved = change.until === undefined ? {} : { until: yield* checkUntil(change.until) }
  return tagged(yield* updateHold(caller, id, version, { ...change, ...moved }))
})

export const layer = HttpApiBuilder.group(Api, "holds", (handlers) =>
  handlers.handleAll({
    list: ({ query }) => answered(Effect.flatMap(CurrentCaller, ({ principal }) => listHolds(principal, query))),
    create: ({ headers, payload }) => answered(create(headers["idempotency-key"], payload)),
    get: ({ params }) =>
      answered(Effect.flatMap(CurrentCaller, ({ principal }) => Effect.map(getHold(principal, params.id), tagged))),
    update: ({ params, headers, payload }) => answered(update(params.id, headers["if-match"], payload)),
    end: ({ params }) => answered(Effect.flatMap(CurrentCaller, (caller) => endHold(caller, params.id)))
  })
)
