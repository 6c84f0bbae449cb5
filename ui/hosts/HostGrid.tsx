/**
 * The rows of the host list. Only those in view exist; each is bound to its host, so focus and clicks never slip to another.
 * The focus stays on the grid, which names the active row: j/k or arrows move, x or space selects, Enter opens.
 */
import { createEffect, createMemo, createSignal, For, on, onCleanup, onMount, type JSX } from "solid-js"
import type { HostItem } from "#core/Host.ts"
import type { HostSort } from "#http/api/Hosts.ts"
import { Icon } from "../kit/Icon.tsx"
import { createWindow } from "../kit/createWindow.ts"
import { isPhone } from "../kit/media.ts"
import { preferences } from "../shell/preferences.ts"
import { isTyping } from "../shell/useShortcuts.ts"
import { HostGridRow, LoadingRow } from "./HostGridRow.tsx"
import { choose, isSelected, type Selection } from "./selection.ts"
import styles from "./HostGrid.module.css"

export interface HostRow {
  readonly item: HostItem
  /** What was heard live after this moment is newer than the row. */
  readonly asked_at: number
}

const rowHeights = { compact: 32, default: 36, cosy: 44 } as const
const PHONE_ROW = 61
const HEAD = 32

export const HostGrid = (props: {
  rows: ReadonlyArray<HostRow>
  total: number
  sort: HostSort
  onSort: (sort: HostSort) => void
  selection: Selection
  onSelect: (selection: Selection) => void
  onOpen: (id: string) => void
  /** More rows are in view than are loaded. */
  onNeed: () => void
}): JSX.Element => {
  const row = (): number => (isPhone() ? PHONE_ROW : rowHeights[preferences.density])
  const view = createWindow(
    () => props.total,
    row,
    () => (isPhone() ? 0 : HEAD)
  )
  const byId = createMemo(() => new Map(props.rows.map((one, index) => [one.item.id as string, { ...one, index }])))
  /** Ids of the hosts in view; an index where the row is still to be loaded. */
  const shown = createMemo(() => {
    const slots: Array<string | number> = []
    for (let index = view.first(); index < view.end(); index++) slots.push(props.rows[index]?.item.id ?? index)
    return slots
  })
  createEffect(() => {
    if (view.end() > props.rows.length && props.rows.length < props.total) props.onNeed()
  })

  const [active, setActive] = createSignal<string | null>(null)
  let anchor: string | null = null
  let grid: HTMLDivElement | undefined
  createEffect(
    on(
      () => props.sort,
      () => grid?.scrollTo({ top: 0 }),
      { defer: true }
    )
  )

  const select = (id: string, on: boolean, range: boolean): void => {
    const from = range && anchor !== null ? byId().get(anchor)?.index : undefined
    const to = byId().get(id)?.index
    const ids =
      from === undefined || to === undefined
        ? [id]
        : props.rows.slice(Math.min(from, to), Math.max(from, to) + 1).map(({ item }) => item.id as string)
    anchor = id
    props.onSelect(choose(props.selection, ids, on))
  }
  const move = (step: number): void => {
    const now = active()
    const index = now === null ? (step > 0 ? -1 : props.rows.length) : (byId().get(now)?.index ?? -1)
    const next = Math.min(props.rows.length - 1, Math.max(0, index + step))
    setActive(props.rows[next]?.item.id ?? null)
    view.reveal(next)
    grid?.focus({ preventScroll: true })
  }
  const onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return
    const inGrid = event.target instanceof Node && grid?.contains(event.target) === true
    const letters = preferences.keys === "on"
    const id = active()
    if ((event.key === "j" && letters) || (event.key === "ArrowDown" && inGrid)) move(1)
    else if ((event.key === "k" && letters) || (event.key === "ArrowUp" && inGrid)) move(-1)
    else if (id !== null && ((event.key === "x" && letters) || (event.key === " " && inGrid))) {
      select(id, !isSelected(props.selection, id), event.shiftKey)
    } else if (event.key === "Enter" && id !== null && inGrid) props.onOpen(id)
    else return
    event.preventDefault()
  }
  onMount(() => addEventListener("keydown", onKey))
  onCleanup(() => removeEventListener("keydown", onKey))

  const allLoaded = createMemo(
    () => props.rows.length > 0 && props.rows.every(({ item }) => isSelected(props.selection, item.id))
  )
  const someLoaded = createMemo(() => props.rows.some(({ item }) => isSelected(props.selection, item.id)))
  const selectLoaded = (on: boolean): void =>
    props.onSelect(
      choose(
        props.selection,
        props.rows.map(({ item }) => item.id),
        on
      )
    )

  const Head = (column: {
    of: "name" | "status" | "pending" | "security" | "last_seen"
    first: "" | "-"
    words: string
    class: string
  }): JSX.Element => {
    const descending = (): boolean => props.sort === `-${column.of}`
    const ascending = (): boolean => props.sort === column.of
    const next = (): HostSort => {
      if (ascending()) return `-${column.of}`
      if (descending()) return column.of
      return `${column.first}${column.of}`
    }
    return (
      <th
        class={column.class}
        scope="col"
        role="columnheader"
        aria-sort={descending() ? "descending" : ascending() ? "ascending" : undefined}
      >
        <button
          class={styles["sort"]}
          classList={{ [styles["sorted"] ?? ""]: ascending() || descending() }}
          type="button"
          onClick={() => props.onSort(next())}
        >
          {column.words}
          <Icon
            name="sortDown"
            class={ascending() ? styles["up"] : ascending() || descending() ? "" : styles["hidden"]}
          />
        </button>
      </th>
    )
  }

  return (
    <div
      class={styles["scroll"]}
      ref={(element) => {
        grid = element
        view.attach(element)
      }}
      role="grid"
      tabIndex={0}
      aria-label="Hosts"
      aria-rowcount={props.total + 1}
      aria-multiselectable="true"
      aria-activedescendant={active() === null ? undefined : `host-${active()}`}
    >
      <table
        class={`tbl ${styles["grid"]}`}
        classList={{ [styles["all"] ?? ""]: props.selection.kind === "all" }}
        role="presentation"
      >
        <thead role="rowgroup">
          <tr role="row">
            <th class={styles["ck"]} scope="col" role="columnheader">
              <input
                type="checkbox"
                class="ck"
                classList={{ mixed: someLoaded() && !allLoaded() }}
                checked={allLoaded()}
                tabIndex={-1}
                aria-label="Select the hosts shown"
                onChange={(event) => selectLoaded(event.currentTarget.checked)}
              />
            </th>
            <Head of="name" first="" words="Host" class={styles["host"] ?? ""} />
            <th class={styles["conn"]} scope="col" role="columnheader">
              Connection
            </th>
            <th class={styles["pat"]} scope="col" role="columnheader">
              Patch state
            </th>
            <Head of="status" first="" words="Work" class={styles["work"] ?? ""} />
            <Head of="security" first="-" words="Sec." class={`num ${styles["n"]}`} />
            <Head of="pending" first="-" words="All" class={`num ${styles["n"]}`} />
            <th class={styles["reb"]} scope="col" role="columnheader">
              Reboot
            </th>
            <th class={styles["os"]} scope="col" role="columnheader">
              System
            </th>
            <Head of="last_seen" first="" words="Seen" class={`num ${styles["seen"]}`} />
          </tr>
        </thead>
        <tbody role="rowgroup">
          <tr role="presentation" class={styles["gap"]} style={{ height: `${view.above()}px` }} />
          <For each={shown()}>
            {(slot) =>
              typeof slot === "number" ? (
                <LoadingRow />
              ) : (
                <HostGridRow
                  row={byId().get(slot)}
                  active={active() === slot}
                  selected={isSelected(props.selection, slot)}
                  onSelect={(on, range) => select(slot, on, range)}
                  onActivate={() => setActive(slot)}
                />
              )
            }
          </For>
          <tr role="presentation" class={styles["gap"]} style={{ height: `${view.below()}px` }} />
        </tbody>
      </table>
    </div>
  )
}
