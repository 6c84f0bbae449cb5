/** Every way into the web process, read off the contract. */
import { Context } from "effect"
import { HttpApi } from "effect/http-api"
import { AllowedStage } from "#http/api/AllowedStage.ts"
import { Api } from "#http/api/Api.ts"
import { RequiredPermission } from "#http/api/RequiredPermission.ts"
import { Rpcs } from "#http/api/Rpcs.ts"
import type { TestWeb } from "#test/http/TestWeb.ts"

export interface Route {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly open: boolean
  readonly stage: "password" | "enrolling" | "either" | undefined
}

const readRoutes = (): ReadonlyArray<Route> => {
  const routes: Array<Route> = []
  HttpApi.reflect(Api, {
    onGroup: () => undefined,
    onEndpoint: ({ endpoint }) => {
      const path = endpoint.path.replace(/(.)\/$/, "$1")
      routes.push({
        name: `${endpoint.method} ${path}`,
        method: endpoint.method,
        path: path.replaceAll(/:[a-z_]+/g, "01a200e4-e652-72f9-b45c-117b1e318cc9"),
        open: Context.get(endpoint.annotations, RequiredPermission) === "public",
        stage: Context.get(endpoint.annotations, AllowedStage)
      })
    }
  })
  return routes
}

export const routes = readRoutes()
export const guarded = routes.filter(({ open }) => !open)

/** Calls every guarded route and procedure; answers what is not `status` and, where given, `code`. */
export const notAnswered = async (
  web: TestWeb,
  token: string | undefined,
  status: number,
  code: string | null,
  leftOut: (route: Route) => boolean = () => false
): Promise<ReadonlyArray<string>> => {
  const bearer = token === undefined ? {} : { token }
  const wrong: Array<string> = []
  const look = (name: string, answer: Awaited<ReturnType<TestWeb["call"]>>) => {
    const said = answer.text === "" ? "" : String(answer.at("error.code"))
    if (answer.status !== status || (code !== null && said !== code)) wrong.push(`${name}: ${answer.status} ${said}`)
  }
  for (const route of guarded.filter((one) => !leftOut(one))) {
    const body = route.method === "GET" ? {} : { raw: "{}" }
    look(route.name, await web.call(route.method, route.path, { ...bearer, ...body }))
  }
  for (const tag of Rpcs.requests.keys()) {
    const raw = `${JSON.stringify({ _tag: "Request", id: "1", tag, payload: {}, headers: [] })}\n`
    look(tag, await web.call("POST", "/rpc", { ...bearer, raw, headers: { "content-type": "application/ndjson" } }))
  }
  return wrong
}

/** How many rows each table has. */
export const rowCounts = async (web: TestWeb): Promise<Readonly<Record<string, number>>> => {
  const tables = await web.rows<{ name: string }>(
    "select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE' order by 1"
  )
  const counts: Record<string, number> = {}
  for (const { name } of tables) {
    counts[name] = Number((await web.rows<{ n: string }>(`select count(*) as n from "${name}"`))[0]!.n)
  }
  return counts
}
