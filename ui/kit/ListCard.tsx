/** A list that comes page by page: its states, its rows and, while there is more, the button that fetches it. */
import { createMemo, Show, type JSX } from "solid-js"
import type { Page } from "#core/Page.ts"
import type { Pages } from "../api/useData.ts"
import { DataArea } from "./DataArea.tsx"
import styles from "./ListCard.module.css"

export const ListCard = <A,>(props: {
  /** Names the list to screen readers and, with a capital, in the error: "Jobs". */
  what: string
  query: Pages<Page<A>>
  /** Grey rows while the first page loads. */
  rows: number
  /** What stands there without a row: first use or no match is the page's to say. */
  empty: JSX.Element
  more: string
  children: (all: () => ReadonlyArray<A>) => JSX.Element
}): JSX.Element => {
  const all = createMemo(() => (props.query.data?.pages ?? []).flatMap(({ items }) => items))
  return (
    <section class="card" aria-label={props.what}>
      <DataArea
        query={props.query}
        what={props.what}
        rows={props.rows}
        isEmpty={() => all().length === 0}
        empty={<div class={`empty ${styles["empty"]}`}>{props.empty}</div>}
      >
        {() => props.children(all)}
      </DataArea>
      <Show when={props.query.hasNextPage}>
        <div class={styles["foot"]}>
          <button
            class="btn quiet s"
            type="button"
            disabled={props.query.isFetching}
            onClick={() => void props.query.fetchNextPage()}
          >
            {props.more}
          </button>
        </div>
      </Show>
    </section>
  )
}
