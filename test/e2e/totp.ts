/** One-time codes by the book (RFC 6238, RFC 4226), apart from the product's library. */
import { createHmac } from "node:crypto"

const STEP_SECONDS = 30
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

/** RFC 4648, section 6. */
const fromBase32 = (text: string): Buffer => {
  let bits = ""
  for (const letter of text.replace(/[\s=]/g, "").toUpperCase()) {
    const value = alphabet.indexOf(letter)
    if (value < 0) throw new Error(`${letter} is no letter of Base32`)
    bits += value.toString(2).padStart(5, "0")
  }
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}

export const stepAt = (millis: number): number => Math.floor(millis / 1000 / STEP_SECONDS)

export const codeOf = (secret: string, step: number): string => {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac("sha1", fromBase32(secret)).update(counter).digest()
  const offset = mac.readUInt8(mac.length - 1) & 0x0f
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0")
}

/** An authenticator app: each code is given once, at most one step ahead of the clock. */
export class Authenticator {
  readonly secret: string
  #given = 0

  constructor(secret: string) {
    this.secret = secret
  }

  /** A code that was not given before; waits where two were given within one step. */
  async code(): Promise<string> {
    const step = Math.max(stepAt(Date.now()), this.#given + 1)
    for (; stepAt(Date.now()) + 1 < step;) await new Promise((resolve) => setTimeout(resolve, 200))
    this.#given = step
    return codeOf(this.secret, step)
  }

  /** The one given last. */
  last(): string {
    return codeOf(this.secret, this.#given)
  }
}
