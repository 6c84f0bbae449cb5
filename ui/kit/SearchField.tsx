/** A field that narrows the list beneath it; `/` leads to it. */
import type { JSX } from "solid-js"
import { Icon } from "./Icon.tsx"
import styles from "./SearchField.module.css"

export const SearchField = (props: {
  label: string
  placeholder: string
  value: string
  onInput: (value: string) => void
}): JSX.Element => (
  <div class={styles["field"]}>
    <Icon name="search" />
    <input
      class="inp"
      data-search
      aria-label={props.label}
      placeholder={props.placeholder}
      autocomplete="off"
      spellcheck={false}
      value={props.value}
      onInput={(event) => props.onInput(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Escape") event.currentTarget.blur()
      }}
    />
  </div>
)
