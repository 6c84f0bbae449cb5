/** Where a list's next page begins, as opaque text: the order it was asked in, the last row's key and its id. */
import { Effect, Schema } from "effect"
import { refuseField } from "#core/Errors.ts"

export interface Position {
  readonly key: string
  readonly id: string
}

const Stored = Schema.fromJsonString(Schema.Tuple([Schema.String, Schema.String, Schema.String.check(Schema.isUUID())]))
const decode = Schema.decodeUnknownEffect(Stored)

export const writeCursor = (sort: string, position: Position): string =>
  Buffer.from(JSON.stringify([sort, position.key, position.id])).toString("base64url")

/** Null without a cursor; a 422 for one that is not ours or belongs to another order. */
export const readCursor = Effect.fnUntraced(function* (
  sort: string,
  cursor: string | undefined,
  keys: "number" | "text"
) {
  if (cursor === undefined) return null
  const refused = refuseField("query.cursor", "This cursor was not made for this list. Start again without one.")
  const [madeFor, key, id] = yield* Effect.mapError(
    decode(Buffer.from(cursor, "base64url").toString("utf8")),
    () => refused
  )
  if (madeFor !== sort || (keys === "number" && !/^-?[0-9]{1,18}$/.test(key))) return yield* refused
  const position: Position = { key, id }
  return position
})
