/** 405 with Allow for every path of the contract and every method it does not take: the router alone would say 404. */
import { HttpRouter, HttpServerResponse } from "effect/http"
import { HttpApi } from "effect/http-api"
import { Api } from "#http/api/Api.ts"
import { sockets } from "#http/api/Live.ts"
import { RPC_PATH } from "#http/api/Rpcs.ts"

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const

const known = (): Map<`/${string}`, Set<string>> => {
  const paths = new Map<`/${string}`, Set<string>>([[RPC_PATH, new Set(["POST"])]])
  for (const { path } of Object.values(sockets)) paths.set(path, new Set(["GET"]))
  HttpApi.reflect(Api, {
    onGroup: () => undefined,
    onEndpoint: ({ endpoint }) => {
      // "/hosts/" and "/hosts" are one path to the router.
      const path = endpoint.path.replace(/(.)\/$/, "$1") as `/${string}`
      const found = paths.get(path) ?? new Set()
      found.add(endpoint.method)
      paths.set(path, found)
    }
  })
  return paths
}

export const layer = HttpRouter.addAll(
  [...known()].flatMap(([path, taken]) =>
    methods
      .filter((method) => !taken.has(method))
      .map((method) =>
        HttpRouter.route(
          method,
          path,
          HttpServerResponse.empty({
            status: 405,
            headers: { allow: [...taken, ...(taken.has("GET") ? ["HEAD"] : [])].join(", ") }
          })
        )
      )
  )
)
