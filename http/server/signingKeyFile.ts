/** The private key file of the web process: PKCS#8 PEM of an Ed25519 key, mode 0600. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto"
import { chmod, mkdir, open, readFile, rename, rm } from "node:fs/promises"
import { dirname } from "node:path"

export interface KeyPair {
  /** Thumbprint of the public key, RFC 7638. */
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export const thumbprint = (publicKey: KeyObject): string => {
  const { crv, kty, x } = publicKey.export({ format: "jwk" })
  return createHash("sha256").update(JSON.stringify({ crv, kty, x })).digest("base64url")
}

const freshPem = () => generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" })

/** Leaves a file alone that is there already. */
const writeFresh = async (file: string): Promise<void> => {
  const handle = await open(file, "wx", 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EEXIST") return null
    throw error
  })
  if (handle === null) return
  try {
    await handle.writeFile(freshPem())
    await handle.sync()
  } finally {
    await handle.close()
  }
  await chmod(file, 0o600)
}

/** Makes the key file where there is none. */
export const ensureSigningKey = async (file: string): Promise<void> => {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeFresh(file)
}

export const readSigningKey = async (file: string): Promise<KeyPair> => {
  const privateKey = createPrivateKey(await readFile(file))
  if (privateKey.asymmetricKeyType !== "ed25519") throw new TypeError("it is not an Ed25519 key")
  const publicKey = createPublicKey(privateKey)
  return { kid: thumbprint(publicKey), privateKey, publicKey }
}

/** Puts a fresh key in the place of the one there; readers see the one or the other whole. */
export const replaceSigningKey = async (file: string): Promise<KeyPair> => {
  const next = `${file}.${process.pid}.new`
  await rm(next, { force: true })
  await writeFresh(next)
  await rename(next, file)
  return readSigningKey(file)
}
