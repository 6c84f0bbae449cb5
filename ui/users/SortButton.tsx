/** A column's heading that sorts by it, and the other way when pressed again. */
import { Show, type JSX } from "solid-js"
import { Icon } from "../kit/Icon.tsx"
import styles from "./Users.module.css"

export const SortButton = <Order extends string>(props: {
  words: string
  order: Order
  sort: string
  onSort: (sort: Order | `-${Order}`) => void
}): JSX.Element => {
  const ascending = (): boolean => props.sort === props.order
  const descending = (): boolean => props.sort === `-${props.order}`
  return (
    <th scope="col" aria-sort={ascending() ? "ascending" : descending() ? "descending" : undefined}>
      <button class="sort" type="button" onClick={() => props.onSort(ascending() ? `-${props.order}` : props.order)}>
        {props.words}
        <Show when={ascending() || descending()}>
          <Icon name="sortDown" class={ascending() ? styles["up"] : undefined} />
        </Show>
      </button>
    </th>
  )
}
