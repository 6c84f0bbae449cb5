/**
 * The key that signs checkpoints: `audit.ed25519.pem` in the secrets folder (0600), and `audit.pub.pem` beside it with every public
 * key this installation ever signed with, the newest last. Only the worker reads the private one.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify
} from "node:crypto"
import { mkdir, open, readFile, rename } from "node:fs/promises"
import { dirname, join } from "node:path"
import { Data, Effect } from "effect"
import { type Checkpoint, checkpointText } from "#core/audit/Checkpoint.ts"

export class AuditKeyError extends Data.TaggedError("AuditKeyError")<{
  readonly file: string
  readonly cause: unknown
}> {
  override get message() {
    return `The audit key ${this.file} cannot be used: ${String(this.cause)}. Restore it from a backup; if it is lost for good, remove it, and the worker makes a new one at its next start.`
  }
}

/** Also for the command line, which exports the public half. */
export const auditKeyFile = (secretsDir: string): string => join(secretsDir, "audit.ed25519.pem")
export const auditPublicKeyFile = (secretsDir: string): string => join(secretsDir, "audit.pub.pem")

const writeNew = async (file: string, text: string, mode: number, flag: "wx" | "w"): Promise<boolean> => {
  const handle = await open(file, flag, mode).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EEXIST") return null
    throw error
  })
  if (handle === null) return false
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  return true
}

const pemOf = (key: KeyObject): string => String(key.export({ type: "spki", format: "pem" }))

export const keyIdOf = (key: KeyObject): string =>
  createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("hex")
    .slice(0, 16)

/** All blocks of a file of public keys, by their ids. Throws where one is no Ed25519 key. */
export const readPublicKeys = (text: string): ReadonlyMap<string, KeyObject> => {
  const blocks = text.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? []
  return new Map(
    blocks.map((block) => {
      const key = createPublicKey(block)
      if (key.asymmetricKeyType !== "ed25519") throw new TypeError("it holds a key that is not Ed25519")
      return [keyIdOf(key), key]
    })
  )
}

export interface AuditKey {
  readonly keyId: string
  readonly publicPem: string
  /** Every key whose signatures count. */
  readonly trusted: ReadonlyMap<string, KeyObject>
  readonly sign: (point: Omit<Checkpoint, "key_id" | "signature">) => Checkpoint
}

const load = async (file: string, publicFile: string): Promise<AuditKey> => {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeNew(
    file,
    String(generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" })),
    0o600,
    "wx"
  )
  const privateKey = createPrivateKey(await readFile(file))
  if (privateKey.asymmetricKeyType !== "ed25519") throw new TypeError("it is not an Ed25519 key")
  const publicKey = createPublicKey(privateKey)
  const keyId = keyIdOf(publicKey)
  const known = await readFile(publicFile, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return ""
    throw error
  })
  if (!readPublicKeys(known).has(keyId)) {
    await writeNew(`${publicFile}.new`, known + pemOf(publicKey), 0o644, "w")
    await rename(`${publicFile}.new`, publicFile)
  }
  return {
    keyId,
    publicPem: pemOf(publicKey),
    trusted: new Map([...readPublicKeys(known), [keyId, publicKey]]),
    sign: (point) => ({
      ...point,
      key_id: keyId,
      signature: sign(null, Buffer.from(checkpointText(point)), privateKey).toString("base64")
    })
  }
}

/** Reads the key; makes it where there is none. */
export const loadAuditKey = (secretsDir: string): Effect.Effect<AuditKey, AuditKeyError> =>
  Effect.tryPromise({
    try: () => load(auditKeyFile(secretsDir), auditPublicKeyFile(secretsDir)),
    catch: (cause) => new AuditKeyError({ file: auditKeyFile(secretsDir), cause })
  })

/** About a tenth of a millisecond. */
export const isSigned = (point: Checkpoint, trusted: AuditKey["trusted"]): boolean => {
  const key = trusted.get(point.key_id)
  return (
    key !== undefined && verify(null, Buffer.from(checkpointText(point)), key, Buffer.from(point.signature, "base64"))
  )
}

/** What the checkpoint after this one names as `previous`. */
export const digestOf = (point: Checkpoint): string => createHash("sha256").update(checkpointText(point)).digest("hex")
