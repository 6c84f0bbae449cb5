/** Checkpoints to a log server: RFC 5424 over UDP, TCP or TLS (RFC 5425, RFC 6587 with octet counting). */
import { createSocket } from "node:dgram"
import { connect } from "node:net"
import { hostname } from "node:os"
import { connect as connectTls } from "node:tls"
import { Data, Effect } from "effect"
import type { Checkpoint } from "#core/audit/Checkpoint.ts"

export class SyslogError extends Data.TaggedError("SyslogError")<{ readonly target: string; readonly cause: unknown }> {
  override get message() {
    return `The log server ${this.target} did not take the checkpoint: ${this.cause instanceof Error ? this.cause.message : String(this.cause)}`
  }
}

const DEADLINE = "5 seconds"
const DEFAULT_PORTS: Readonly<Record<string, number>> = { "udp:": 514, "tcp:": 601, "tls:": 6514 }

/** Facility 13 (log audit), severity 5 (notice). */
const PRIORITY = 13 * 8 + 5

const quoted = (text: string): string => text.replaceAll(/["\\\]]/g, "\\$&")

export const syslogMessage = (point: Checkpoint): string =>
  [
    `<${PRIORITY}>1 ${point.signed_at} ${hostname() || "-"} patch-manager ${process.pid} audit-checkpoint`,
    `[checkpoint@32473 origin="${quoted(point.origin)}" size="${point.size}" rowHash="${point.row_hash}" keyId="${point.key_id}"]`,
    JSON.stringify(point)
  ].join(" ")

const overUdp = (host: string, port: number, message: string): Effect.Effect<void, Error> =>
  Effect.callback((resume) => {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4")
    const end = (error: Error | null): void => {
      socket.close()
      resume(error === null ? Effect.void : Effect.fail(error))
    }
    socket.once("error", end)
    socket.send(message, port, host, end)
  })

const overStream = (protocol: string, host: string, port: number, message: string): Effect.Effect<void, Error> =>
  Effect.callback((resume) => {
    const framed = `${Buffer.byteLength(message)} ${message}`
    const socket = protocol === "tls:" ? connectTls({ host, port, servername: host }) : connect({ host, port })
    socket.once("error", (error) => resume(Effect.fail(error)))
    // Closed by the server once it has read everything; what it answers is not looked at.
    socket.resume()
    socket.once("close", () => resume(Effect.void))
    socket.once(protocol === "tls:" ? "secureConnect" : "connect", () => socket.end(framed))
    return Effect.sync(() => socket.destroy())
  })

/** `target` is `udp://host:514`, `tcp://host:601` or `tls://host:6514`. Over UDP nobody says whether it arrived. */
export const sendToSyslog = (target: string, point: Checkpoint) => {
  const url = new URL(target)
  const host = url.hostname.replaceAll(/^\[|\]$/g, "")
  const port = Number(url.port || DEFAULT_PORTS[url.protocol])
  const message = syslogMessage(point)
  const sent = url.protocol === "udp:" ? overUdp(host, port, message) : overStream(url.protocol, host, port, message)
  return sent.pipe(
    Effect.timeoutOrElse({ duration: DEADLINE, orElse: () => Effect.fail(new Error("no answer within 5 seconds")) }),
    Effect.mapError((cause) => new SyslogError({ target, cause }))
  )
}
