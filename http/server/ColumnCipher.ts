/**
 * Seals what the database must not hold in the clear: AES-256-GCM under a key that lies in a file beside the database's reach. The
 * place of a value is its associated data, so that a value moved to another row cannot be opened.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto"
import { chmod, link, mkdir, readFile, rename, stat, unlink, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { Context, Data, Effect, Layer } from "effect"
import { WebConfig } from "./WebSettings.ts"

/** Where a sealed value lies. */
export interface SealedPlace {
  readonly table: string
  readonly column: string
  /** The row's id. */
  readonly row: string
}

export class ColumnCipherError extends Data.TaggedError("ColumnCipherError")<{ readonly message: string }> {}

interface ColumnKey {
  /** Eight hex digits. */
  readonly id: string
  readonly key: Buffer
}

const FORMAT = 1
const ID_BYTES = 4
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEAD_BYTES = 1 + ID_BYTES + NONCE_BYTES

/** The file's place: beside the key that signs access tokens. */
export const columnKeyFile = (jwtKeyFile: string): string => join(dirname(jwtKeyFile), "column.key")

const newKey = (): ColumnKey => ({ id: randomBytes(ID_BYTES).toString("hex"), key: randomBytes(32) })

const format = (keys: ReadonlyArray<ColumnKey>): string =>
  keys.map(({ id, key }) => `${id} ${key.toString("base64")}\n`).join("")

const parse = (file: string, text: string): ReadonlyArray<ColumnKey> => {
  const keys = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [, id = "", encoded = ""] = /^([0-9a-f]{8}) ([A-Za-z0-9+/]{43}=)$/.exec(line) ?? []
      return { id, key: Buffer.from(encoded, "base64") }
    })
  if (keys.length === 0 || keys.some(({ key }) => key.length !== 32)) {
    throw new ColumnCipherError({ message: `${file} is damaged: restore it from a backup.` })
  }
  return keys
}

/** Makes the key file, mode 0600, where there is none; whole at once, so that a second process never reads half of it. */
export const ensureColumnKey = async (file: string): Promise<void> => {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const fresh = `${file}.${process.pid}.new`
  await writeFile(fresh, format([newKey()]), { mode: 0o600, flush: true })
  try {
    await link(fresh, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
  } finally {
    await unlink(fresh)
  }
}

const replaceFile = async (file: string, keys: ReadonlyArray<ColumnKey>): Promise<void> => {
  await writeFile(`${file}.new`, format(keys), { mode: 0o600, flush: true })
  await chmod(`${file}.new`, 0o600)
  await rename(`${file}.new`, file)
}

const readKeys = async (file: string): Promise<ReadonlyArray<ColumnKey>> => parse(file, await readFile(file, "utf8"))

/** Adds a key and makes it the one that seals; the ones before still open. Answers the new key's id. */
export const addColumnKey = async (file: string): Promise<string> => {
  const key = newKey()
  await replaceFile(file, [...(await readKeys(file)), key])
  return key.id
}

/** Leaves only the key that seals; nothing may be sealed with another any more. */
export const dropOldColumnKeys = async (file: string): Promise<void> => {
  await replaceFile(file, (await readKeys(file)).slice(-1))
}

const associated = ({ table, column, row }: SealedPlace): Buffer => Buffer.from(`${table}.${column}/${row}`)

const sealWith = ({ id, key }: ColumnKey, place: SealedPlace, plain: Uint8Array): Uint8Array => {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv("aes-256-gcm", key, nonce)
  cipher.setAAD(associated(place))
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([Buffer.of(FORMAT), Buffer.from(id, "hex"), nonce, sealed, cipher.getAuthTag()])
}

const openWith = ({ key }: ColumnKey, place: SealedPlace, sealed: Buffer): Uint8Array => {
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(1 + ID_BYTES, HEAD_BYTES), {
    authTagLength: TAG_BYTES
  })
  decipher.setAAD(associated(place))
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  return Buffer.concat([decipher.update(sealed.subarray(HEAD_BYTES, -TAG_BYTES)), decipher.final()])
}

/** The id of the key a value is sealed with. */
export const sealedWith = (sealed: Uint8Array): string => Buffer.from(sealed.subarray(1, 1 + ID_BYTES)).toString("hex")

const failed = (place: SealedPlace, why: string) =>
  new ColumnCipherError({ message: `${place.table}.${place.column} of row ${place.row} cannot be opened: ${why}` })

/** Reads the key file again whenever it has changed, so that a running process takes part in a rotation. */
export const makeColumnCipher = (file: string) =>
  Effect.gen(function* () {
    yield* Effect.promise(async () => {
      // Looked at first: every start but one finds it.
      if (!(await stat(file).catch(() => null))) await ensureColumnKey(file)
    })
    let known: { readonly keys: ReadonlyArray<ColumnKey>; readonly stamp: string } | null = null
    const keys = Effect.tryPromise({
      try: async () => {
        const { mtimeMs, ino, size } = await stat(file)
        const stamp = `${mtimeMs}/${ino}/${size}`
        if (known?.stamp !== stamp) known = { keys: await readKeys(file), stamp }
        return known.keys
      },
      catch: (cause) =>
        cause instanceof ColumnCipherError
          ? cause
          : new ColumnCipherError({ message: `${file} cannot be read (${String(cause)}): restore it from a backup.` })
    })
    yield* keys
    return {
      /** Text to bytes that hold it; each call gives other bytes. */
      seal: (place: SealedPlace, plain: string): Effect.Effect<Uint8Array, ColumnCipherError> =>
        Effect.map(keys, (all) => sealWith(all.at(-1)!, place, Buffer.from(plain, "utf8"))),
      /** Fails for a value that was changed, comes from another row, or was sealed with a key that is gone. */
      open: (place: SealedPlace, sealed: Uint8Array): Effect.Effect<string, ColumnCipherError> =>
        Effect.flatMap(keys, (all) => {
          const key = all.find(({ id }) => id === sealedWith(sealed))
          if (sealed.length < HEAD_BYTES + TAG_BYTES || sealed[0] !== FORMAT || key === undefined) {
            return Effect.fail(failed(place, `its key is not in ${file}. Restore that file from a backup.`))
          }
          return Effect.try({
            try: () => Buffer.from(openWith(key, place, Buffer.from(sealed))).toString("utf8"),
            catch: () => failed(place, "it was changed, or it belongs to another row.")
          })
        })
    }
  })

export class ColumnCipher extends Context.Service<ColumnCipher, Effect.Success<ReturnType<typeof makeColumnCipher>>>()(
  "patch-manager/http/ColumnCipher"
) {
  static readonly layer = Layer.effect(
    ColumnCipher,
    Effect.flatMap(WebConfig, ({ jwtKeyFile }) => makeColumnCipher(columnKeyFile(jwtKeyFile)))
  )
}
