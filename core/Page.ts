/** How every list is answered: a page of items, how many there are in all, and where the next page begins. */
import { Schema } from "effect"

/** Opaque; only ever handed back. */
export const Cursor = Schema.String.check(Schema.isMaxLength(2000))
export type Cursor = typeof Cursor.Type

export interface Page<A> {
  readonly items: ReadonlyArray<A>
  readonly total: number
  readonly next_cursor: string | null
}

export const page = <S extends Schema.Top>(item: S) =>
  Schema.Struct({ items: Schema.Array(item), total: Schema.Int, next_cursor: Schema.NullOr(Schema.String) })
