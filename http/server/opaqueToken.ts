/** Random secrets handed out once and kept only as their hash. */
import { createHash, randomBytes } from "node:crypto"

/** 256 bits as text. */
export const randomToken = (): string => randomBytes(32).toString("base64url")

export const tokenHash = (token: string): Uint8Array => createHash("sha256").update(token).digest()
