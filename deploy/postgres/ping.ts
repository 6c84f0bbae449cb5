import { connect } from "node:net"
import { join } from "node:path"
import { socketName } from "./socketDirectory.ts"

/** What a server answered: it serves, it is on its way up or down, it refuses us, or nobody listens. */
export type Answer =
  | { readonly type: "ready" }
  | { readonly type: "busy" }
  | { readonly type: "refused"; readonly reason: string }
  | { readonly type: "silent" }

const startupPacket = (user: string, database: string): Buffer => {
  const body = Buffer.from(`user\0${user}\0database\0${database}\0\0`)
  const head = Buffer.alloc(8)
  head.writeInt32BE(body.length + 8, 0)
  head.writeInt32BE(196608, 4)
  return Buffer.concat([head, body])
}

const fieldsOf = (body: Buffer): Map<string, string> =>
  new Map(
    body
      .toString("utf8")
      .split("\0")
      .filter((field) => field !== "")
      .map((field) => [field.slice(0, 1), field.slice(1)])
  )

/** 57P03 "cannot connect now" while starting, recovering or stopping; 53300 all connections taken. */
const passing = new Set(["57P03", "53300"])

const read = (received: Buffer): Answer | undefined => {
  let at = 0
  while (received.length >= at + 5) {
    const type = String.fromCharCode(received[at] ?? 0)
    const length = received.readInt32BE(at + 1)
    if (received.length < at + 1 + length) return undefined
    if (type === "Z") return { type: "ready" }
    if (type === "E") {
      const fields = fieldsOf(received.subarray(at + 5, at + 1 + length))
      return passing.has(fields.get("C") ?? "")
        ? { type: "busy" }
        : { type: "refused", reason: fields.get("M") ?? "unknown error" }
    }
    at += 1 + length
  }
  return undefined
}

/** Speaks PostgreSQL's first message on the socket in `directory`; `deadlineMs` bounds the wait for the answer. */
export const ping = (directory: string, user: string, database: string, deadlineMs = 3_000): Promise<Answer> =>
  new Promise((resolve) => {
    let received = Buffer.alloc(0)
    const socket = connect(join(directory, socketName))
    const finish = (answer: Answer): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(() => finish({ type: "busy" }), deadlineMs)
    socket.on("connect", () => socket.write(startupPacket(user, database)))
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk])
      const answer = received.length > 65_536 ? ({ type: "refused", reason: "no PostgreSQL" } as const) : read(received)
      if (answer?.type === "ready") socket.write(Buffer.from([0x58, 0, 0, 0, 4]))
      if (answer !== undefined) finish(answer)
    })
    socket.on("end", () => finish({ type: "busy" }))
    socket.on("error", (error: NodeJS.ErrnoException) =>
      finish(
        error.code === "EACCES" || error.code === "EPERM"
          ? { type: "refused", reason: `permission denied on ${directory}` }
          : { type: "silent" }
      )
    )
  })
