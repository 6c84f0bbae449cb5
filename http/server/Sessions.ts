/** Lists of sessions and their end, over sql/SessionStore.ts. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Api } from "#http/api/Api.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import { endSession, listSessions } from "#sql/sessionList.ts"
import { answered } from "./translate.ts"

export const layer = HttpApiBuilder.group(Api, "sessions", (handlers) =>
  handlers.handleAll({
    listOwn: ({ query }) =>
      answered(
        Effect.flatMap(CurrentCaller, ({ principal }) =>
          listSessions(principal, { ...query, user_id: principal.user_id })
        )
      ),
    endOwn: ({ params }) =>
      answered(Effect.flatMap(CurrentCaller, (caller) => endSession(caller, params.id, caller.principal.user_id))),
    list: ({ query }) => answered(Effect.flatMap(CurrentCaller, ({ principal }) => listSessions(principal, query))),
    end: ({ params }) => answered(Effect.flatMap(CurrentCaller, (caller) => endSession(caller, params.id, null)))
  })
)
