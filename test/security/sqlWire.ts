/** What this process says to PostgreSQL, read off its sockets: every statement, as it was sent and without its parameters. */
import { Socket } from "node:net"
import { TLSSocket } from "node:tls"

const PARSE = 0x50
const QUERY = 0x51

/** The text that ends with a zero byte; `next` stands behind that byte. */
const textAt = (bytes: Buffer, start: number) => {
  const end = bytes.indexOf(0, start)
  return { text: bytes.toString("utf8", start, end < 0 ? bytes.length : end), next: end + 1 }
}

/** Statements in the messages of a frontend. PostgreSQL documentation, "Message Formats". */
const statementsIn = (bytes: Buffer): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (let at = 0; at + 5 <= bytes.length;) {
    const type = bytes[at]
    if (type === QUERY) found.push(textAt(bytes, at + 5).text)
    // A name for the statement comes first.
    if (type === PARSE) found.push(textAt(bytes, textAt(bytes, at + 5).next).text)
    at += 1 + Math.max(4, bytes.readUInt32BE(at + 1))
  }
  return found
}

/** Listens from now on, on connections without TLS. */
export const listenToStatements = () => {
  const statements = new Set<string>()
  const { prototype } = Socket
  const own = Object.getOwnPropertyDescriptor(prototype, "write")
  const write: unknown = Reflect.get(prototype, "write")
  const heard = function (this: Socket, ...given: ReadonlyArray<unknown>): unknown {
    const [bytes] = given
    if (bytes instanceof Uint8Array && !(this instanceof TLSSocket)) {
      for (const one of statementsIn(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))) statements.add(one)
    }
    return Reflect.apply(write as () => unknown, this, given)
  }
  Reflect.set(prototype, "write", heard)
  const undo = () => {
    if (own === undefined) Reflect.deleteProperty(prototype, "write")
    else Object.defineProperty(prototype, "write", own)
  }
  return { statements, undo }
}
