/** How many hosts are chosen and what can be done with them; docked under the list. */
import { Show, type JSX } from "solid-js"
import { may } from "../api/session.ts"
import { count, plural } from "../format/numbers.ts"
import { Icon } from "../kit/Icon.tsx"
import { everything, nothing, type Selection } from "./selection.ts"
import styles from "./SelectionBar.module.css"

export const SelectionBar = (props: {
  chosen: number
  loaded: number
  total: number
  selection: Selection
  onSelect: (selection: Selection) => void
  onApply: () => void
  onDeploy: () => void
  onRefresh: () => void
}): JSX.Element => (
  <div class={styles["bar"]} role="region" aria-label="Chosen hosts">
    <span class={`strong ${styles["words"]}`} role="status">
      {props.selection.kind === "all" && props.chosen === props.total
        ? `All ${count(props.total)} matching selected`
        : `${plural(props.chosen, "host")} selected`}
    </span>
    <Show when={props.selection.kind === "some" && props.chosen >= props.loaded && props.loaded < props.total}>
      <button class="btn s" type="button" onClick={() => props.onSelect(everything)}>
        Select all {count(props.total)} matching
      </button>
    </Show>
    <button class={`btn quiet s ${styles["wide"]}`} type="button" onClick={() => props.onSelect(nothing)}>
      Clear
    </button>
    <span class={styles["gap"]} />
    <Show when={may("hosts:refresh")}>
      <button class={`btn ${styles["wide"]}`} type="button" onClick={() => props.onRefresh()}>
        <Icon name="sync" />
        Refresh now
      </button>
    </Show>
    <Show when={may("jobs:create")}>
      <button class="btn" type="button" onClick={() => props.onDeploy()}>
        <Icon name="calendar" />
        Plan a job…
      </button>
      <button class="btn primary" type="button" onClick={() => props.onApply()}>
        <Icon name="deploy" />
        Apply patches…
      </button>
    </Show>
  </div>
)
