/** How each call is made about an object: with a body that is right in itself, so that nothing but the caller decides. */
import type { Line } from "./table.ts"
import { type MatrixWorld, type State, UNKNOWN } from "./world.ts"

export interface Asked {
  readonly method: string
  readonly path: string
  readonly body?: object
  readonly raw?: string
  readonly headers: Readonly<Record<string, string>>
}

/** What the object's id is an id of: the first word of the table's column. */
export const kindOf = ({ object }: Line): string => (object.split(" ")[0] ?? "-").replace(/s$/, "")

let keys = 0

/** Beside one's own host: one that is out of sight makes the whole request fail. */
const jobAbout = (id: string, { hosts }: MatrixWorld): object => ({
  kind: "patch_apply",
  host_ids: [...new Set([hosts.own, id])],
  selection: { kind: "all" }
})

/** Versions and confirmations that are never right: whoever is let in is told so, and nothing changes. */
const bodies: Readonly<Record<string, (id: string, world: MatrixWorld) => object>> = {
  "PATCH /api/v1/hosts/:id": () => ({ display_name: "renamed" }),
  "POST /api/v1/hosts/:id/settle": () => ({ verdict: "done" }),
  "PUT /api/v1/hosts/:id/service-checks": () => ({ services: [] }),
  "POST /api/v1/hosts": (id) => ({ address: `127.99.${++keys >> 8}.${keys & 255}`, group_ids: [id] }),
  "POST /api/v1/jobs": jobAbout,
  "POST /api/v1/jobs/plan": jobAbout,
  "POST /api/v1/jobs/:id/retry": () => ({ states: ["failed"] }),
  "POST /api/v1/jobs/:id/rollback": () => ({ method: "versions" }),
  "POST /api/v1/jobs/:id/rollback/plan": () => ({ method: "versions" }),
  "PATCH /api/v1/groups/:id": () => ({ description: "changed" }),
  "PUT /api/v1/groups/:id/hosts": (id, { groups, hosts }) => ({
    host_ids: [id === groups.b ? hosts.other : hosts.own, hosts.shared]
  }),
  "POST /api/v1/enrolments/:id/approve": (_, { groups }) => ({ group_ids: [groups.a] }),
  "POST /api/v1/enrolments/:id/deny": () => ({}),
  "POST /api/v1/groups/:id/hosts/add": (_, { hosts }) => ({ host_ids: [hosts.shared] }),
  "POST /api/v1/groups/:id/hosts/remove": (_, { hosts }) => ({ host_ids: [hosts.open] }),
  "PUT /api/v1/groups/:id/users": (id, { groups }) => ({ usernames: [id === groups.b ? "bob" : "ann"] }),
  "PUT /api/v1/groups/:id/service-checks": () => ({ services: [] }),
  "POST /api/v1/holds": (id) => ({ target: { kind: "host", host_id: id }, pattern: "curl", reason: "matrix" }),
  "PATCH /api/v1/holds/:id": () => ({ reason: "changed" }),
  "POST /api/v1/windows": (id, { window }) => window("Another", id),
  "PATCH /api/v1/windows/:id": () => ({ name: "changed" }),
  "POST /api/v1/windows/simulate": (id, { window }) => ({ weeks: 1, drafts: [{ window: window("Draft", id) }] })
}

const queries: Readonly<Record<string, (id: string) => string>> = {
  "GET /api/v1/hosts": (id) => `?group=${id}`,
  "GET /api/v1/holds": (id) => `?host_id=${id}`,
  "GET /api/v1/windows": (id) => `?host_id=${id}`,
  "DELETE /api/v1/groups/:id": () => "?confirm_ungrouped=999999"
}

export const requestOf = (world: MatrixWorld, { name }: Line, id: string): Asked => {
  const [method = "", template = ""] = name.split(" ")
  const path = template
    .replace(/:(id|provider)/, id)
    .replace(":seq", "1")
    .replace(":token", "0".repeat(43))
  const headers = { "idempotency-key": `matrix-${++keys}`, "if-match": '"999999"' }
  const body = bodies[name]?.(id, world)
  const address = `${path}${queries[name]?.(id) ?? ""}`
  if (body !== undefined) return { method, path: address, body, headers }
  return { method, path: address, headers, ...(method === "GET" || method === "DELETE" ? {} : { raw: "{" }) }
}

export const payloadOf = (world: MatrixWorld, tag: string, id: string): object => {
  const job = jobAbout(id, world)
  switch (tag) {
    case "ListHosts":
      return { group: id }
    case "CreateJob":
      return { idempotency_key: `matrix-rpc-${++keys}`, job }
    case "PlanJob":
      return { job }
    default:
      return { id }
  }
}

/** The id to ask for; what is deleted by asking is made anew for each. */
export const idFor = async (world: MatrixWorld, line: Line, state: State): Promise<string | undefined> => {
  if (line.object === "-") return state === "unknown" ? UNKNOWN : undefined
  if (line.name === "DELETE /api/v1/windows/:id" && (state === "own" || state === "other" || state === "none")) {
    return world.newWindow(world.objects["host"]?.[state] ?? "")
  }
  return world.objects[kindOf(line)]?.[state]
}
