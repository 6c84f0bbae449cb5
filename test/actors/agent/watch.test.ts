/** Following a job: by events where the agent has them, by polling where it has not, to its end or to its being forgotten. */
import { it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import type { Server } from "node:http"
import { beforeAll, describe, expect } from "vitest"
import { type WebSocket, WebSocketServer } from "ws"
import { type AgentClientOptions, makeAgentClient } from "#actors/agent/AgentClient.ts"
import { makeSlots } from "#actors/agent/AgentSlots.ts"
import { AgentJobId } from "#core/Ids.ts"
import {
  agentServer,
  envelope,
  errorEnvelope,
  json,
  makeTestAuthority,
  type Seen,
  targetAt,
  type TestAuthority
} from "./servers.ts"

let authority: TestAuthority
beforeAll(async () => {
  authority = await makeTestAuthority()
})

const JOB = AgentJobId.make("6ba7b810-9dad-11d1-80b4-00c04fd430c8")

const jobBody = (status: string, more: Record<string, unknown> = {}): string =>
  envelope({ job_id: JOB, operation: "patchapply", status, progress: 0, message: "", logs: [], ...more })

const eventBody = (status: string, job_id: string = JOB): string =>
  JSON.stringify({ event: "job_status", job_id, status, progress: 0, message: "", timestamp: "2026-07-20T10:00:00Z" })

const client = (options: Partial<AgentClientOptions> = {}) => {
  const slots = makeSlots({ total: 8, polls: 4 })
  return { slots, ...makeAgentClient(authority.trust, slots, { pollMs: [40, 200], connectMs: 2000, ...options }) }
}

/** An agent whose job is whatever `state` says; `onUpgrade` is its event socket. */
const jobAgent = (
  state: { status: string; forgotten?: boolean },
  onUpgrade: "stub" | "none" | ((socket: WebSocket, seen: () => Seen) => void)
) =>
  Effect.gen(function* () {
    const sockets = new WebSocketServer({ noServer: true })
    const seen: Seen = yield* agentServer(
      authority,
      (request, response) => {
        const server = (request.socket as unknown as { server: Server }).server
        if (server.listenerCount("upgrade") === 0 && onUpgrade !== "none") listenForUpgrades(server)
        if (state.forgotten) json(response, 404, errorEnvelope("JOB_NOT_FOUND", false))
        else json(response, 200, jobBody(state.status))
      },
      {}
    )
    const listenForUpgrades = (server: Server): void => {
      server.on("upgrade", (request, socket, head) => {
        if (onUpgrade === "stub") {
          socket.end("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n{}")
        } else if (typeof onUpgrade === "function") {
          sockets.handleUpgrade(request, socket, head, (ws) => onUpgrade(ws, () => seen))
        }
      })
    }
    return seen
  })

const statuses = (agent: ReturnType<typeof client>, port: number) =>
  agent.watchJob(targetAt(port), JOB).pipe(
    Stream.map((sighting) => (sighting._tag === "Job" ? sighting.job.status : "gone")),
    Stream.runCollect,
    Effect.timeout("15 seconds")
  )

const looks = (seen: Seen): number => seen.requests.filter(({ path }) => path.endsWith(JOB)).length

describe("watching a job", () => {
  it.live("by polling, where the upgrade is answered like any other request", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const state = { status: "pending" }
        const seen = yield* jobAgent(state, "none")
        const agent = client()
        const watching = yield* Effect.forkChild(statuses(agent, seen.port))
        yield* until(() => looks(seen) >= 1)
        state.status = "running"
        yield* until(() => looks(seen) >= 4)
        state.status = "completed"
        expect(yield* Fiber.join(watching)).toEqual(["pending", "running", "completed"])
        yield* until(() => agent.slots.running() === 0)
      })
    )
  )

  it.live("by polling, where the agent is 1.0 and its WebSocket a stub", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const state = { status: "running" }
        const seen = yield* jobAgent(state, "stub")
        const agent = client()
        yield* agent.job(targetAt(seen.port), JOB)
        const watching = yield* Effect.forkChild(statuses(agent, seen.port))
        yield* until(() => looks(seen) >= 3)
        const connections = seen.accepted
        yield* until(() => looks(seen) >= 6)
        // Each further look is one connection: the upgrade is not tried again.
        expect(seen.accepted - connections).toBeLessThanOrEqual(4)
        state.status = "timedout"
        expect(yield* Fiber.join(watching)).toEqual(["running", "timed_out"])
      })
    )
  )

  it.live("by events: one GET after connecting, then one for each event of this job", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const state = { status: "running" }
        const open: Array<WebSocket> = []
        const seen = yield* jobAgent(state, (socket) => void open.push(socket))
        const agent = client()
        yield* agent.job(targetAt(seen.port), JOB)
        const watching = yield* Effect.forkChild(statuses(agent, seen.port))
        yield* until(() => open.length === 1 && looks(seen) === 2)
        open[0]?.send(eventBody("completed", "another-job"))
        open[0]?.send("not json")
        open[0]?.ping()
        yield* until(() => pongs(open[0]))
        yield* Effect.sleep(700)
        expect(looks(seen)).toBe(2)
        state.status = "completed"
        open[0]?.send(eventBody("completed"))
        expect(yield* Fiber.join(watching)).toEqual(["running", "completed"])
        expect(looks(seen)).toBe(3)
        yield* until(() => seen.open === 0)
      })
    )
  )

  it.live("falls back to polling when the socket breaks", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const state = { status: "running" }
        const open: Array<WebSocket> = []
        const seen = yield* jobAgent(state, (socket) => void open.push(socket))
        const agent = client()
        yield* agent.job(targetAt(seen.port), JOB)
        const watching = yield* Effect.forkChild(statuses(agent, seen.port))
        yield* until(() => open.length === 1 && looks(seen) === 2)
        open[0]?.terminate()
        yield* until(() => looks(seen) >= 4)
        state.status = "failed"
        expect(yield* Fiber.join(watching)).toEqual(["running", "failed"])
        expect(open).toHaveLength(1)
      })
    )
  )

  it.live("ends when the agent has forgotten the job", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const seen = yield* jobAgent({ status: "running", forgotten: true }, "none")
        expect(yield* statuses(client(), seen.port)).toEqual(["gone"])
      })
    )
  )

  it.live("outlives failures of the host", () =>
    Effect.scoped(
      Effect.gen(function* () {
        let calls = 0
        const seen = yield* agentServer(authority, (_, response) => {
          if (++calls < 4) return void response.socket?.destroy()
          json(response, 200, jobBody("completed"))
        })
        expect(yield* statuses(client(), seen.port)).toEqual(["completed"])
      })
    )
  )

  it.live("an agent that asks for fewer calls is left in peace as long as it says", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const times: Array<number> = []
        const seen = yield* agentServer(authority, (request, response) => {
          if (request.headers.upgrade) return void response.socket?.destroy()
          times.push(performance.now())
          if (times.length === 1) return void response.writeHead(429, { "retry-after": "1" }).end("slow down")
          json(response, 200, jobBody("completed"))
        })
        expect(yield* statuses(client(), seen.port)).toEqual(["completed"])
        expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(950)
      })
    )
  )

  it.live("interrupted, it closes its socket", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const open: Array<WebSocket> = []
        const seen = yield* jobAgent({ status: "running" }, (socket) => void open.push(socket))
        const agent = client()
        yield* agent.job(targetAt(seen.port), JOB)
        const watching = yield* Effect.forkChild(statuses(agent, seen.port))
        yield* until(() => open.length === 1 && looks(seen) === 2)
        yield* Fiber.interrupt(watching)
        yield* until(() => seen.open === 0 && agent.slots.running() === 0)
      })
    )
  )

  it.live("goes without a socket beyond the cap", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const state = { status: "running" }
        const open: Array<WebSocket> = []
        const seen = yield* jobAgent(state, (socket) => void open.push(socket))
        const agent = client({ maxWebSockets: 0 })
        yield* agent.job(targetAt(seen.port), JOB)
        const watching = yield* Effect.forkChild(statuses(agent, seen.port))
        yield* until(() => looks(seen) >= 4)
        state.status = "completed"
        yield* Fiber.join(watching)
        expect(open).toHaveLength(0)
      })
    )
  )
})

const ponged = new WeakSet<WebSocket>()
const listened = new WeakSet<WebSocket>()
const pongs = (socket: WebSocket | undefined): boolean => {
  if (!socket) return false
  if (!listened.has(socket)) {
    listened.add(socket)
    socket.once("pong", () => void ponged.add(socket))
    socket.ping()
  }
  return ponged.has(socket)
}

/** Waits for a condition that the servers bring about. */
const until = (condition: () => boolean): Effect.Effect<void> =>
  Effect.gen(function* () {
    while (!condition()) yield* Effect.sleep(5)
  }).pipe(Effect.timeout("10 seconds"), Effect.orDie)
