/** Gives everything that is sealed a new key, while web processes run: they read the key file again when it changes. */
import { Effect } from "effect"
import { appendAudit, type AuditOrigin } from "#sql/AuditStore.ts"
import { readSealed, replaceSealed, sealedColumns } from "#sql/SealedColumns.ts"
import { addColumnKey, dropOldColumnKeys, ensureColumnKey, makeColumnCipher, sealedWith } from "./ColumnCipher.ts"

/** Values under another key than this one are sealed anew; answers how many there were. */
const reseal = Effect.fnUntraced(function* (file: string, keyId: string) {
  const cipher = yield* makeColumnCipher(file)
  let count = 0
  for (const place of sealedColumns) {
    for (const { row, sealed } of yield* readSealed(place)) {
      if (sealedWith(sealed) === keyId) continue
      const at = { table: place.table, column: place.column, row }
      const plain = yield* cipher.open(at, sealed)
      yield* replaceSealed(place, row, sealed, yield* cipher.seal(at, plain))
      count++
    }
  }
  return count
})

/** How many values were sealed anew. The old key is dropped only when nothing is left under it. */
export const rotateColumnKey = Effect.fnUntraced(function* (origin: AuditOrigin, file: string) {
  yield* Effect.promise(() => ensureColumnKey(file))
  const keyId = yield* Effect.promise(() => addColumnKey(file))
  let resealed = 0
  for (let found = -1; found !== 0;) {
    found = yield* reseal(file, keyId)
    resealed += found
    // A process that read the file just before it changed may be about to write one more.
    yield* Effect.sleep("1 second")
  }
  yield* Effect.promise(() => dropOldColumnKeys(file))
  yield* appendAudit(origin, {
    action: "secrets.rotate",
    object_type: "secrets",
    object_id: "column.key",
    before: null,
    after: { key_id: keyId, resealed }
  })
  return resealed
})
