/** One live socket that keeps itself open: ticket, subscribe from the last number seen, hand messages on, come back when lost. */
import type { LiveMessage, LiveSubscribe } from "#core/Live.ts"
import type { Ticket } from "#http/api/Live.ts"
import { postJson } from "../api/client.ts"
import {
  createConnection,
  OFFLINE_AFTER,
  partingOf,
  pauseAfter,
  type ConnectionStore,
  type Parting
} from "./connection.ts"

/** Milliseconds from opening a socket to its first message. */
const HELLO_DEADLINE_MS = 10_000

type Scope = Omit<LiveSubscribe["subscribe"], "from_seq">

export interface LiveSocketOptions {
  readonly path: string
  readonly onMessage: (message: LiveMessage) => void
  /** Too much was missed: everything shown has to be read again. */
  readonly onResync: () => void
  /** Closed for a reason that concerns the whole page; with `scope_changed` the socket comes back by itself. */
  readonly onParting: (parting: Exclude<Parting, "again">) => void
}

export class LiveSocket {
  readonly connection: ConnectionStore = createConnection()
  readonly #options: LiveSocketOptions
  #scope: Scope = {}
  #socket: WebSocket | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #running = false

  constructor(options: LiveSocketOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    addEventListener("online", this.#now)
    void this.#open()
  }

  stop(): void {
    this.#running = false
    removeEventListener("online", this.#now)
    clearTimeout(this.#timer)
    this.#socket?.close()
    this.#socket = null
    this.connection.trigger.stopped()
  }

  /** Narrows or widens what is told, from now on and after each reconnection. */
  follow(scope: Scope): void {
    this.#scope = scope
    if (this.#socket?.readyState === WebSocket.OPEN) this.#subscribe(this.#socket)
  }

  readonly #now = (): void => {
    if (!this.#running || this.#socket !== null) return
    clearTimeout(this.#timer)
    void this.#open()
  }

  #subscribe(socket: WebSocket): void {
    const message: LiveSubscribe = {
      subscribe: { from_seq: this.connection.getSnapshot().context.seq, ...this.#scope }
    }
    socket.send(JSON.stringify(message))
  }

  async #open(): Promise<void> {
    this.connection.trigger.opening()
    let ticket: string
    try {
      ticket = (await postJson<Ticket>("/api/v1/ws/ticket")).ticket
    } catch {
      this.#lost()
      return
    }
    if (!this.#running) return
    const url = new URL(`${this.#options.path}?ticket=${encodeURIComponent(ticket)}`, location.href)
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:"
    const socket = new WebSocket(url)
    this.#socket = socket
    const deadline = setTimeout(() => socket.close(), HELLO_DEADLINE_MS)
    socket.addEventListener("open", () => this.#subscribe(socket))
    socket.addEventListener("message", (event) => {
      clearTimeout(deadline)
      if (this.#socket === socket) this.#take(event.data)
    })
    socket.addEventListener("close", (event) => {
      clearTimeout(deadline)
      if (this.#socket !== socket) return
      this.#socket = null
      const parting = partingOf(event.code)
      if (parting !== "again") this.#options.onParting(parting)
      this.#lost()
    })
  }

  #take(data: unknown): void {
    if (typeof data !== "string") return
    const message = JSON.parse(data) as LiveMessage
    this.connection.trigger.heard({ seq: message.seq, at: Date.now() })
    if (message.type === "resync") this.#options.onResync()
    else if (message.type !== "hello") this.#options.onMessage(message)
  }

  #lost(): void {
    if (!this.#running) return
    this.connection.trigger.lost({ at: Date.now() })
    const { failures } = this.connection.getSnapshot().context
    if (failures >= OFFLINE_AFTER) this.connection.trigger.gone()
    this.#timer = setTimeout(() => void this.#open(), pauseAfter(failures, Math.random()))
  }
}
