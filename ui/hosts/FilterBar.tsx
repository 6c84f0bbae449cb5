/** Search, the filters in words, and the way to bring the order up to date. */
import { createEffect, createSignal, For, on, onCleanup, Show, type JSX } from "solid-js"
import { count } from "../format/numbers.ts"
import { Icon } from "../kit/Icon.tsx"
import { filterTags, type HostQuery } from "./hostQuery.ts"
import styles from "./FilterBar.module.css"

const PAUSE_MS = 200

export const FilterBar = (props: {
  query: HostQuery
  onChange: (part: Partial<HostQuery>) => void
  onClear: () => void
  onFilters: () => void
  moved: number
  onOrder: () => void
}): JSX.Element => {
  const [text, setText] = createSignal("")
  let timer: ReturnType<typeof setTimeout> | undefined
  createEffect(
    on(
      () => props.query.q,
      (q) => setText(q ?? "")
    )
  )
  onCleanup(() => clearTimeout(timer))
  const type = (value: string): void => {
    setText(value)
    clearTimeout(timer)
    timer = setTimeout(() => props.onChange({ q: value.trim() === "" ? undefined : value.trim() }), PAUSE_MS)
  }
  const tags = () => filterTags(props.query).filter(({ without }) => !("q" in without))
  return (
    <div class={styles["bar"]} role="search">
      <div class={styles["search"]}>
        <Icon name="search" />
        <input
          class="inp"
          data-search
          aria-label="Filter by name or address"
          placeholder="Name or address"
          autocomplete="off"
          value={text()}
          onInput={(event) => type(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") event.currentTarget.blur()
          }}
        />
      </div>
      <button class={`btn ${styles["mini"]}`} type="button" aria-label="Filters" onClick={() => props.onFilters()}>
        <Icon name="filter" />
        <Show when={tags().length > 0}>{tags().length}</Show>
      </button>
      <div class={styles["tags"]}>
        <For each={tags()}>
          {(tag) => (
            <span class="tag">
              {tag.words}
              <button
                type="button"
                aria-label={`Remove filter ${tag.words}`}
                onClick={() => props.onChange(tag.without)}
              >
                <Icon name="close" />
              </button>
            </span>
          )}
        </For>
        <Show when={filterTags(props.query).length > 0}>
          <button class="btn quiet s" type="button" onClick={() => props.onClear()}>
            Clear
          </button>
        </Show>
      </div>
      <Show when={props.moved > 0}>
        <button class={`btn s ${styles["wide"]}`} type="button" onClick={() => props.onOrder()}>
          <Icon name="sync" class="i14" />
          {count(props.moved)} changed, refresh order
        </button>
      </Show>
    </div>
  )
}
