/** What a browser with the fleet and the job list open knows: the lists once, then only what the live sockets tell. */
import WebSocket from "ws"
import type { LiveHost, LiveJob, LiveMessage } from "#core/Live.ts"
import { pauseAfter } from "#ui/live/connection.ts"
import type { Web } from "./startWeb.ts"

type SeenHost = Pick<LiveHost, "id" | "state_version" | "summary" | "link" | "work">
type SeenJob = Pick<LiveJob, "id" | "state" | "counts">

export interface Browser {
  readonly hosts: ReadonlyMap<string, SeenHost>
  readonly jobs: ReadonlyMap<string, SeenJob>
  readonly sockets: ReadonlyArray<WebSocket>
  /** Milliseconds since the epoch at which a message of this kind came last; 0 for never. */
  readonly lastAt: (type: LiveMessage["type"]) => number
  /** How often it was told to read everything again. */
  readonly resyncs: () => number
  /** Hangs up and stays away until `resume`. */
  readonly leave: () => void
  readonly resume: () => Promise<void>
  readonly close: () => void
}

interface Page<A> {
  readonly items: ReadonlyArray<A>
  readonly next_cursor: string | null
}

class SocketClosed extends Error {
  override readonly message = "The socket closed before it was greeted"
}

/** Every page of a list. */
const readAll = async <A>(web: Web, path: string): Promise<ReadonlyArray<A>> => {
  const items: Array<A> = []
  for (let cursor: string | null = null; ;) {
    const page: Page<A> = await web.call("GET", `${path}?limit=100${cursor === null ? "" : `&cursor=${cursor}`}`)
    items.push(...page.items)
    cursor = page.next_cursor
    if (cursor === null) return items
  }
}

export const openBrowser = async (web: Web): Promise<Browser> => {
  const hosts = new Map<string, SeenHost>()
  const jobs = new Map<string, SeenJob>()
  const last = new Map<string, number>()
  const seqs = new Map<string, number>()
  let sockets: Array<WebSocket> = []
  let wanted = true
  let resyncs = 0
  let failures = 0

  const readLists = async () => {
    const fresh = new Set<string>()
    for (const host of await readAll<SeenHost>(web, "/api/v1/hosts")) {
      fresh.add(host.id)
      if ((hosts.get(host.id)?.state_version ?? -1) <= host.state_version) hosts.set(host.id, host)
    }
    for (const id of hosts.keys()) if (!fresh.has(id)) hosts.delete(id)
    for (const job of await readAll<SeenJob>(web, "/api/v1/jobs")) jobs.set(job.id, job)
  }

  const hear = (message: LiveMessage) => {
    last.set(message.type, Date.now())
    if (message.type === "host") hosts.set(message.host.id, message.host)
    else if (message.type === "host_removed") hosts.delete(message.host_id)
    else if (message.type === "job") jobs.set(message.job.id, message.job)
  }

  const connect = async (topic: "fleet" | "jobs"): Promise<void> => {
    const { ticket } = await web.call<{ ticket: string }>("POST", "/api/v1/ws/ticket")
    const { port } = new URL(web.origin)
    const socket = new WebSocket(`wss://127.0.0.1:${port}/api/v1/ws/${topic}?ticket=${ticket}`, {
      ca: web.caPem,
      headers: { host: `localhost:${port}`, origin: web.origin }
    })
    sockets.push(socket)
    await new Promise<void>((resolve, reject) => {
      // What follows is its close.
      socket.on("error", () => undefined)
      socket.on("open", () => socket.send(JSON.stringify({ subscribe: { from_seq: seqs.get(topic) ?? null } })))
      socket.on("message", (data) => {
        const message = JSON.parse(String(data)) as LiveMessage
        seqs.set(topic, Math.max(seqs.get(topic) ?? 0, message.seq))
        failures = 0
        if (message.type === "resync") {
          resyncs++
          void readLists().catch(() => undefined)
        }
        hear(message)
        if (message.type === "hello") resolve()
      })
      socket.on("close", () => {
        sockets = sockets.filter((one) => one !== socket)
        reject(new SocketClosed())
        comeBack(topic)
      })
    })
  }

  const comeBack = (topic: "fleet" | "jobs"): void => {
    if (!wanted) return
    setTimeout(
      () => {
        // Once a socket is there, its close brings us back here.
        if (wanted) void connect(topic).catch((error: unknown) => error instanceof SocketClosed || comeBack(topic))
      },
      pauseAfter(++failures, Math.random())
    )
  }

  const resume = async () => {
    wanted = true
    await Promise.all([connect("fleet"), connect("jobs")])
  }
  await resume()
  await readLists()

  const leave = () => {
    wanted = false
    for (const socket of sockets) socket.terminate()
  }
  return {
    hosts,
    jobs,
    get sockets() {
      return sockets
    },
    lastAt: (type) => last.get(type) ?? 0,
    resyncs: () => resyncs,
    leave,
    resume,
    close: leave
  }
}
