/** Health without sign-in, the fleet in numbers, the root certificate and the contract itself. */
import { Effect, Result } from "effect"
import { HttpApiBuilder, OpenApi } from "effect/http-api"
import { Authority } from "#actors/pki/Authority.ts"
import { Api } from "#http/api/Api.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import { readFleet } from "#sql/FleetStore.ts"
import { readHeartbeat } from "#sql/HeartbeatStore.ts"
import { answered } from "./translate.ts"
import { WebConfig } from "./WebSettings.ts"

const HEALTH_DEADLINE = "3 seconds"

const health = Effect.map(Effect.result(Effect.timeout(readHeartbeat, HEALTH_DEADLINE)), (heartbeat) => {
  if (Result.isFailure(heartbeat)) return { status: "failing", failing: "database" } as const
  if (!heartbeat.success.fresh) return { status: "failing", failing: "worker" } as const
  return { status: "ok" } as const
})

const openapi: Readonly<Record<string, unknown>> = { ...OpenApi.fromApi(Api) }

export const layer = HttpApiBuilder.group(Api, "status", (handlers) =>
  handlers.handleAll({
    health: () => health,
    rootCertificate: () => Effect.map(Authority, (authority) => authority.ca_pem),
    fleet: () =>
      answered(
        Effect.gen(function* () {
          const { principal } = yield* CurrentCaller
          const { securityTargetDays } = yield* WebConfig
          return yield* readFleet(principal, securityTargetDays)
        })
      ),
    openapi: () => Effect.succeed(openapi)
  })
)
