/** Fresh identifiers: UUIDv7 for rows (ordered inside a process), ULID for requests. */
import { Schema } from "effect"
import { ulidUnsafe, uuidV7Unsafe } from "effect/crypto/SecureRandom"

/** A fresh id of the given brand. */
export const newId = <S extends Schema.Codec<string & {}, string>>(schema: S): S["Type"] => schema.make(uuidV7Unsafe())

/** The id that ties an answer to its log lines. */
export const newRequestId = (): string => ulidUnsafe()
