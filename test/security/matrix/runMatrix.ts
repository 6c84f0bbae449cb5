/** Asks everything of everybody and compares with the table; answers what differs, in words. */
import { Agent } from "node:https"
import { Permission } from "#core/Permission.ts"
import type { Answer } from "#test/http/TestWeb.ts"
import { calls } from "./contract.ts"
import { idFor, payloadOf, requestOf } from "./requests.ts"
import { watchTopics } from "./sockets.ts"
import { probeWall } from "./wall.ts"
import { type Line, readTable, type RoleColumn } from "./table.ts"
import { type Actor, actorNames, type MatrixWorld, type State, states } from "./world.ts"

/** What an answer says to its caller. */
type Meaning = "granted" | "forbidden" | "absent" | "unauthorized" | "mfa_required" | "broken"

const columnOf: Readonly<Record<Actor, RoleColumn>> = {
  admin: "admin",
  operator: "operator",
  auditor: "auditor",
  token: "token",
  "operator's token": "operator",
  "admin without fresh proof": "admin",
  "password alone": "admin",
  enrolling: "admin",
  anonymous: "admin"
}

/** Nothing but a call's own line and who asks: the code under test has no say in it. */
const expected = (line: Line, actor: Actor, state: State): Meaning => {
  const { session, cells } = line
  if (session === "public") return "granted"
  if (actor === "anonymous") return "unauthorized"
  if (actor === "password alone" && session !== "password" && session !== "either") return "mfa_required"
  if (actor === "enrolling" && !session.startsWith("enrolling") && session !== "either") return "mfa_required"
  if (actor === "admin without fresh proof" && session.endsWith("fresh")) return "forbidden"
  const cell = cells[columnOf[actor]]
  if (cell === "no" || (actor === "operator's token" && cells.token === "no")) return "forbidden"
  if (line.object === "-" || line.object === "topic") return "granted"
  if (state === "own" || state === "none") return "granted"
  return state === "other" && cell === "yes" ? "granted" : "absent"
}

const meaningOf = (line: Line, { status, text }: Answer): Meaning => {
  // What is open to everybody may still want a cookie or a token of its own in the request.
  if (status === 401 && (line.session !== "public" || text.includes('"unauthorized"'))) {
    return text.includes('"mfa_required"') ? "mfa_required" : "unauthorized"
  }
  if (status === 403) return "forbidden"
  if (status >= 500 && !(line.session === "public" && status === 503)) return "broken"
  // Where there is no object in sight that could be missing, an unknown id is a matter of its content.
  if (status === 404 && line.object !== "-") return "absent"
  if (line.name.startsWith("RPC ")) {
    const exit = text.split("\n").find((frame) => frame.includes('"Exit"')) ?? ""
    if (exit.includes('"_tag":"Die"') || exit === "") return "broken"
    if (exit.includes('"Forbidden"')) return "forbidden"
    if (/"code":"\w+_not_found"/.test(exit)) return "absent"
  }
  return "granted"
}

/** Status, body and headers without what differs between any two requests: their own id, and the object asked for. */
const shape = ({ status, text, headers }: Answer, id: string): string =>
  JSON.stringify([
    status,
    text
      .replaceAll(id, "<id>")
      .replaceAll(String(headers["x-request-id"]), "<request>")
      .replaceAll(/"(as_of|from|to)":"[^"]*"/g, '"$1":"<time>"'),
    Object.keys(headers).toSorted(),
    headers["content-type"],
    headers["etag"],
    headers["cache-control"]
  ])

const agent = new Agent({ keepAlive: true, maxSockets: actorNames.length })

const ask = (world: MatrixWorld, line: Line, actor: Actor, id: string): Promise<Answer> => {
  const token = world.actors[actor]
  const who = token === undefined ? { agent } : { agent, token }
  if (!line.name.startsWith("RPC ")) {
    const { method, path, ...rest } = requestOf(world, line, id)
    return world.web.call(method, path, { ...who, ...rest })
  }
  const tag = line.name.slice(4)
  const raw = `${JSON.stringify({ _tag: "Request", id: "1", tag, payload: payloadOf(world, tag, id), headers: [] })}\n`
  return world.web.call("POST", "/rpc", { ...who, raw, headers: { "content-type": "application/ndjson" } })
}

const addLine = (name: string): string =>
  `${name}: add a line for it to the table of docs/authorization.md, and if it takes an object's id, how to ask for it to test/security/matrix/requests.ts.`

/** Contract and table, before anything is asked. */
export const compareContract = (): ReadonlyArray<string> => {
  const table = readTable()
  const found = calls()
  return [
    ...found.flatMap(({ name, permission, session }) => {
      if (permission !== "public" && !Permission.literals.some((one) => one === permission)) {
        return [`${name} names no permission: annotate it with RequiredPermission.`]
      }
      const line = table.get(name)
      if (line === undefined) return [addLine(name)]
      // That a full session has to be fresh where an enrolling one is let in, the handler decides.
      const says = line.permission === permission && line.session.replace(/^enrolling, fresh$/, "enrolling") === session
      return says
        ? []
        : [`${name} asks for ${permission} (${session}), the table says ${line.permission} (${line.session}).`]
    }),
    ...[...table.keys()]
      .filter((name) => !found.some((call) => call.name === name))
      .map((name) => `${name} is in the table of docs/authorization.md and not in the contract.`)
  ]
}

const askAbout = async (world: MatrixWorld, line: Line, actor: Actor): Promise<ReadonlyArray<string>> => {
  const faults: Array<string> = []
  const shapes = new Map<State, string>()
  for (const state of states) {
    const id = await idFor(world, line, state)
    if (id === undefined) continue
    const answer = await ask(world, line, actor, id)
    const want = expected(line, actor, state)
    const got = meaningOf(line, answer)
    shapes.set(state, shape(answer, id))
    // A list that is narrowed to what is out of sight is as empty as one narrowed to nothing.
    const meant = line.object.endsWith(" filter") && want === "absent" ? got === "granted" : got === want
    const said = answer.text.slice(0, 160).trim()
    if (!meant)
      faults.push(`${line.name} by ${actor}, ${state}: expected ${want}, got ${got} (${answer.status} ${said})`)
  }
  const unknown = shapes.get("unknown")
  for (const state of ["other", "deleted"] as const) {
    const found = shapes.get(state)
    if (found === undefined || expected(line, actor, state) !== "absent" || found === unknown) continue
    faults.push(
      `${line.name} by ${actor}: ${state} differs from unknown: ${found.slice(0, 300)} and ${unknown?.slice(0, 300)}`
    )
  }
  return faults
}

export interface MatrixResult {
  readonly cells: number
  readonly faults: ReadonlyArray<string>
}

/** `names` narrows it to some calls. */
export const runMatrix = async (world: MatrixWorld, names: RegExp = /./): Promise<MatrixResult> => {
  const faults = [...compareContract()].filter((fault) => names.test(fault))
  let cells = 0
  for (const line of readTable().values()) {
    if (!names.test(line.name)) continue
    if (line.object === "topic") {
      const seen = await watchTopics(world, line.name.slice("SOCKET ".length))
      cells += seen.cells
      for (const actor of actorNames) {
        const want = expected(line, actor, "own")
        if (seen.meanings[actor] !== want) {
          faults.push(`${line.name} by ${actor}: expected ${want}, got ${seen.meanings[actor]}`)
        }
      }
      faults.push(...seen.faults)
      continue
    }
    const asked = await Promise.all(actorNames.map((actor) => askAbout(world, line, actor)))
    faults.push(...asked.flat())
    cells += actorNames.length * (line.object === "-" ? 1 : states.length)
  }
  if (names.test("WALL")) {
    const wall = await probeWall(world)
    faults.push(...wall.faults)
    cells += wall.cells
  }
  return { cells, faults }
}
