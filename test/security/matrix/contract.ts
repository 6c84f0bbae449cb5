/** Everything that can be called: each REST route, each procedure and each socket, as the contract has it. */
import { Context } from "effect"
import { HttpApi } from "effect/http-api"
import { AllowedStage, RequiresStepUp } from "#http/api/AllowedStage.ts"
import { Api } from "#http/api/Api.ts"
import { sockets } from "#http/api/Live.ts"
import { RequiredPermission } from "#http/api/RequiredPermission.ts"
import { Rpcs } from "#http/api/Rpcs.ts"

export interface Call {
  /** As the table of docs/authorization.md names it: `GET /api/v1/hosts/:id`, `RPC GetHost`, `SOCKET /api/v1/ws/jobs`. */
  readonly name: string
  readonly permission: string | undefined
  /** `public`, `full`, `fresh`, or the unfinished session that may call it too. */
  readonly session: string
}

const sessionOf = (permission: string | undefined, annotations: Context.Context<never>): string => {
  if (permission === "public") return "public"
  if (Context.get(annotations, RequiresStepUp)) return "fresh"
  return Context.get(annotations, AllowedStage) ?? "full"
}

/** Read anew each time: a planted fault changes the contract. */
export const calls = (): ReadonlyArray<Call> => {
  const found: Array<Call> = []
  HttpApi.reflect(Api, {
    onGroup: () => undefined,
    onEndpoint: ({ endpoint }) => {
      const permission = Context.get(endpoint.annotations, RequiredPermission)
      const path = endpoint.path.replace(/(.)\/$/, "$1")
      found.push({
        name: `${endpoint.method} ${path}`,
        permission,
        session: sessionOf(permission, endpoint.annotations)
      })
    }
  })
  for (const [tag, rpc] of Rpcs.requests) {
    found.push({
      name: `RPC ${tag}`,
      permission: Context.get(rpc.annotations, RequiredPermission),
      session: sessionOf(undefined, rpc.annotations)
    })
  }
  for (const { path, permission } of Object.values(sockets)) {
    found.push({ name: `SOCKET ${path}`, permission, session: "full" })
  }
  return found
}
