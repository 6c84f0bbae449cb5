/**
 * Seals a text so that only the bearer of a token can read it. From the token follows an X25519 key pair: its public half is kept when
 * the token is handed out, and the token itself, kept nowhere, is what opens. So a private key can wait in the database for its agent
 * without anybody who reads the database being able to use it.
 */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes
} from "node:crypto"

const PRIVATE_HEADER = Buffer.from("302e020100300506032b656e04220420", "hex")
const PUBLIC_HEADER = Buffer.from("302a300506032b656e032100", "hex")
const RAW = 32
const NONCE = 12
const TAG = 16

const privateKeyOf = (token: string): KeyObject => {
  const seed = Buffer.from(hkdfSync("sha256", token, "", "patch-manager enrolment key", RAW))
  return createPrivateKey({ key: Buffer.concat([PRIVATE_HEADER, seed]), format: "der", type: "pkcs8" })
}

const rawOf = (key: KeyObject): Buffer => createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-RAW)

const publicKey = (raw: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([PUBLIC_HEADER, raw]), format: "der", type: "spki" })

const cipherKey = (own: KeyObject, other: Uint8Array, ephemeral: Uint8Array, recipient: Uint8Array): Buffer =>
  Buffer.from(
    hkdfSync(
      "sha256",
      diffieHellman({ privateKey: own, publicKey: publicKey(other) }),
      Buffer.concat([ephemeral, recipient]),
      "patch-manager enrolment bundle",
      RAW
    )
  )

/** The public half, 32 bytes; what is sealed to it opens with the token. The token needs at least 128 bits of chance. */
export const tokenPublicKey = (token: string): Uint8Array => rawOf(privateKeyOf(token))

/** `context` ties the sealed text to its place: it opens only with the same. */
export const sealToToken = (recipient: Uint8Array, context: string, text: string): Uint8Array => {
  const pair = generateKeyPairSync("x25519")
  const ephemeral = rawOf(pair.privateKey)
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv("aes-256-gcm", cipherKey(pair.privateKey, recipient, ephemeral, recipient), nonce)
  cipher.setAAD(Buffer.from(context))
  const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()])
  return Buffer.concat([ephemeral, nonce, cipher.getAuthTag(), body])
}

/** Throws where token or context are others, or the sealed text was changed. */
export const openWithToken = (token: string, context: string, sealed: Uint8Array): string => {
  const own = privateKeyOf(token)
  const bytes = Buffer.from(sealed)
  const ephemeral = bytes.subarray(0, RAW)
  const nonce = bytes.subarray(RAW, RAW + NONCE)
  const decipher = createDecipheriv("aes-256-gcm", cipherKey(own, ephemeral, ephemeral, rawOf(own)), nonce)
  decipher.setAAD(Buffer.from(context))
  decipher.setAuthTag(bytes.subarray(RAW + NONCE, RAW + NONCE + TAG))
  return Buffer.concat([decipher.update(bytes.subarray(RAW + NONCE + TAG)), decipher.final()]).toString("utf8")
}
