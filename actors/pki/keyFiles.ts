/** The authority's directory: `ca`, `manager` and `web`, each as `<name>.pem` and `<name>.key.pem` (0600). */
import { createPrivateKey, randomBytes, X509Certificate } from "node:crypto"
import { mkdir, open, readFile, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { AuthorityError } from "./AuthorityError.ts"
import type { KeyPair } from "./mint.ts"

export type KeyFileName = "ca" | "manager" | "web"

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "ENOENT"

const readText = async (path: string): Promise<string | null> => {
  try {
    return await readFile(path, "utf8")
  } catch (cause) {
    if (isMissing(cause)) return null
    throw new AuthorityError({ message: `${path} cannot be read: ${(cause as Error).message}`, cause })
  }
}

export const certificatePath = (directory: string, name: KeyFileName): string => join(directory, `${name}.pem`)
export const keyPath = (directory: string, name: KeyFileName): string => join(directory, `${name}.key.pem`)

/** Either part may be missing (null): the caller knows what that means for it. */
export const readPair = async (
  directory: string,
  name: KeyFileName
): Promise<{ readonly certificate_pem: string | null; readonly private_key_pem: string | null }> => ({
  certificate_pem: await readText(certificatePath(directory, name)),
  private_key_pem: await readText(keyPath(directory, name))
})

/** Whether key and certificate can be read and belong together. */
export const belongTogether = (pair: KeyPair): boolean => {
  try {
    return new X509Certificate(pair.certificate_pem).checkPrivateKey(createPrivateKey(pair.private_key_pem))
  } catch {
    return false
  }
}

/** All or nothing: a reader sees the old file or the whole new one, after a power failure as well. */
const writeText = async (path: string, text: string, mode: number): Promise<void> => {
  const draft = `${path}.${randomBytes(4).toString("hex")}.new`
  try {
    const file = await open(draft, "wx", mode)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
  } catch (cause) {
    await rm(draft, { force: true })
    throw new AuthorityError({ message: `${path} cannot be written: ${(cause as Error).message}`, cause })
  }
}

/** The key goes first: a crash in between leaves a key nobody has used, or a pair that does not match and is made anew. */
export const writePair = async (directory: string, name: KeyFileName, pair: KeyPair): Promise<void> => {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new AuthorityError({
      message: `The directory ${directory} cannot be made: ${(cause as Error).message}`,
      cause
    })
  }
  await writeText(keyPath(directory, name), pair.private_key_pem, 0o600)
  await writeText(certificatePath(directory, name), pair.certificate_pem, 0o644)
}
