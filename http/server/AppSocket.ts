/** Our end of a browser's WebSocket: found by its connection, pinged, cut off when it stops reading. */
import type { Duplex } from "node:stream"
import { WebSocket } from "@effect/platform-node/NodeWS"

/** What `ws` calls on its sockets once the upgrade is done; not in its types. */
interface Attachable {
  setSocket(this: WebSocket, socket: Duplex, head: Buffer, options: object): void
}

const MAX_BUFFERED_BYTES = 1024 * 1024
const TRY_AGAIN_LATER = 1013
const SERVICE_RESTART = 1012
const POLICY = 1008
/** Why a socket was closed that was let in: sign in again, or come back as who you are now. */
export const closeCodes = { sessionEnded: 4401, sightChanged: 4403 } as const

export class AppSocket extends WebSocket {
  static readonly live = new Set<AppSocket>()
  private static readonly byConnection = new WeakMap<Duplex, AppSocket>()
  private answeredPing = true

  /** The socket of a request whose upgrade is done. */
  static of(request: { readonly socket: Duplex }): AppSocket | undefined {
    return AppSocket.byConnection.get(request.socket)
  }

  setSocket(socket: Duplex, head: Buffer, options: object): void {
    const { setSocket } = WebSocket.prototype as unknown as Attachable
    setSocket.call(this, socket, head, options)
    AppSocket.byConnection.set(socket, this)
    AppSocket.live.add(this)
    this.on("pong", () => (this.answeredPing = true))
    this.once("close", () => AppSocket.live.delete(this))
  }

  /** False where the reader is so far behind that it was closed: it has to come back and resume. */
  tell(message: string): boolean {
    if (this.readyState !== WebSocket.OPEN) return false
    if (this.bufferedAmount > MAX_BUFFERED_BYTES) {
      // The reason stands behind what was not read yet.
      this.end(TRY_AGAIN_LATER, "too slow", 3000)
      return false
    }
    this.send(message)
    return true
  }

  /** Pings; a socket that has not answered the ping before is gone. */
  beat(): void {
    if (!this.answeredPing) {
      this.terminate()
      return
    }
    this.answeredPing = false
    this.ping()
  }

  refuse(reason: string, code: number = POLICY): void {
    this.end(code, reason)
  }

  /** Closes, and does not wait for an answer longer than this. */
  private end(code: number, reason: string, patienceMs = 1000): void {
    this.close(code, reason)
    setTimeout(() => this.terminate(), patienceMs).unref()
  }

  static closeAll(): void {
    for (const socket of AppSocket.live) socket.end(SERVICE_RESTART, "restarting")
  }
}
