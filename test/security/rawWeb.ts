/** Bytes straight onto a TLS connection to a web process, for what no HTTP client would send. */
import { connect } from "node:tls"

export interface RawTarget {
  readonly port: number
  readonly ca: string
}

export interface RawAnswer {
  /** Every status line that came back, in order. */
  readonly statuses: ReadonlyArray<number>
  readonly text: string
  /** Whether the server closed the connection by itself. */
  readonly closed: boolean
}

/** Sends, then collects until the server closes, or `waitMillis` after the last byte of an answer. */
export const rawWeb = ({ ca, port }: RawTarget, bytes: string | Buffer, waitMillis = 1500): Promise<RawAnswer> =>
  new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, servername: "localhost", ca }, () => {
      socket.write(bytes)
    })
    let text = ""
    const end = (closed: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      const statuses = [...text.matchAll(/HTTP\/1\.1 ([0-9]{3}) /g)].map(([, status]) => Number(status))
      resolve({ statuses, text, closed })
    }
    const timer = setTimeout(() => end(false), waitMillis)
    socket.setEncoding("latin1")
    socket.on("data", (chunk) => {
      text += String(chunk)
      timer.refresh()
    })
    socket.on("end", () => end(true))
    socket.on("close", () => end(true))
    socket.on("error", () => end(true))
  })
