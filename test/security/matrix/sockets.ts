/** Opens a live socket as everybody, lets hosts and jobs of all groups change, and reports who was told of what. */
import WebSocket from "ws"
import { type Actor, actorNames, type MatrixWorld } from "./world.ts"

interface Opened {
  readonly meaning: "granted" | "forbidden" | "unauthorized" | "mfa_required"
  readonly told: () => string
  readonly close: () => void
}

const refused = (meaning: Opened["meaning"]): Opened => ({ meaning, told: () => "", close: () => undefined })

const connect = async (world: MatrixWorld, path: string, actor: Actor, subscription: object): Promise<Opened> => {
  const { web, actors } = world
  const token = actors[actor]
  const given = await web.call("POST", "/api/v1/ws/ticket", token === undefined ? {} : { token })
  if (given.status === 403) return refused("forbidden")
  if (given.status === 401) return refused(given.text.includes("mfa_required") ? "mfa_required" : "unauthorized")
  const socket = new WebSocket(`wss://127.0.0.1:${web.port}${path}?ticket=${given.string("ticket")}`, {
    ca: web.ca,
    headers: { host: `localhost:${web.port}`, origin: `https://localhost:${web.port}` }
  })
  let told = ""
  socket.on("message", (data) => (told += String(data)))
  socket.on("error", () => undefined)
  const status = await new Promise<number>((resolve) => {
    socket.on("open", () => resolve(101))
    socket.on("unexpected-response", (_, response) => {
      resolve(response.statusCode ?? 0)
      socket.terminate()
    })
  })
  if (status !== 101) return refused(status === 403 ? "forbidden" : "unauthorized")
  socket.send(JSON.stringify({ subscribe: { from_seq: null, ...subscription } }))
  return { meaning: "granted", told: () => told, close: () => socket.close() }
}

const DEADLINE_MILLIS = 20_000

const until = async (condition: () => boolean): Promise<void> => {
  const end = performance.now() + DEADLINE_MILLIS
  while (!condition() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 25))
}

/** How far in the feed a reader has come. */
const reached = (told: string): number =>
  Math.max(0, ...[...told.matchAll(/"seq":(\d+)/g)].map(([, seq]) => Number(seq)))

/** Whom the table lets in sees everything, but an operator what is in sight. */
const mayBeTold = (actor: Actor, state: "own" | "other" | "none"): boolean =>
  state !== "other" || !actor.startsWith("operator")

export const watchTopics = async (world: MatrixWorld, path: string) => {
  const kind = path.endsWith("/jobs") ? "job" : "host"
  const ids = world.objects[kind] ?? {}
  const hosts = world.objects["host"] ?? {}
  const feed = async (state: "own" | "other" | "none"): Promise<number> => {
    const values = kind === "host" ? "(topic, host_id) values ('host', $1)" : "(topic, job_id) values ('job', $1)"
    const [row] = await world.web.rows<{ seq: number }>(
      `insert into change_feed ${values} returning xid::text::float8 as seq`,
      [kind === "host" ? hosts[state] : ids[state]]
    )
    return row!.seq
  }
  const opened = new Map<Actor, Opened>()
  const faults: Array<string> = []
  // Asked by name for what is out of sight: the answer is silence.
  const subscription = kind === "host" ? { host_id: hosts["other"] } : {}
  for (const actor of actorNames) opened.set(actor, await connect(world, path, actor, subscription))
  const listening = [...opened].filter(([, one]) => one.meaning === "granted")
  await until(() => listening.every(([, one]) => one.told().includes('"hello"')))
  for (const state of ["other", "own"] as const) await feed(state)
  const last = await feed("none")
  await world.web.rows("select pg_notify('feed', '')")
  // The last change is in everybody's sight: whoever has come as far has heard of all. Earlier changes of the same host do not count.
  await until(() => listening.every(([, one]) => reached(one.told()) >= last))
  for (const [actor, one] of listening) {
    for (const state of ["own", "other", "none"] as const) {
      const heard = one.told().includes(ids[state] ?? "")
      if (heard === mayBeTold(actor, state)) continue
      faults.push(`SOCKET ${path} by ${actor}: ${heard ? "was told" : "was not told"} of the ${kind} in ${state}`)
    }
  }
  for (const [, one] of opened) one.close()
  const meanings = Object.fromEntries([...opened].map(([actor, one]) => [actor, one.meaning])) as Record<
    Actor,
    Opened["meaning"]
  >
  return { faults, meanings, cells: actorNames.length * 3 }
}
