/** Grey bars where rows will stand. */
import { For, type JSX } from "solid-js"
import styles from "./Skeleton.module.css"

const widths = ["31%", "25%", "35%", "28%"]

export const Skeleton = (props: { rows: number }): JSX.Element => (
  <div class={styles["skeleton"]} role="status">
    <span class="vh">Loading</span>
    <For each={Array.from({ length: props.rows }, (_, index) => widths[index % widths.length] ?? "31%")}>
      {(width) => (
        <svg class={styles["row"]} aria-hidden="true">
          <rect class="sk" y="14" height="8" width={width} />
          <rect class="sk" x="45%" y="14" height="8" width="18%" />
          <rect class="sk" x="88%" y="14" height="8" width="12%" />
        </svg>
      )}
    </For>
  </div>
)
