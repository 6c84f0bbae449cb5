/** What an order was to change, and what was found on the host afterwards: from, to, found. */
import { For, Show, type JSX } from "solid-js"
import type { Change } from "#core/Package.ts"
import type { Outcome } from "#core/Order.ts"
import { Icon } from "../kit/Icon.tsx"
import styles from "./Changes.module.css"

const Found = (props: { change: Change; outcome: Outcome }): JSX.Element => {
  const found = (): string | null | undefined => props.outcome.installed[props.change.name]
  const proved = (): boolean => props.outcome.verdict === "done" && typeof found() === "string"
  return (
    <Show when={found() !== undefined} fallback={<span class="muted">Not read</span>}>
      <span class={proved() || found() === props.change.to ? "st quietok" : "st bad"}>
        <Icon name={proved() || found() === props.change.to ? "check" : "failed"} />
        <span class="mono">{found() ?? "not installed"}</span>
      </span>
    </Show>
  )
}

export const Changes = (props: { outcome: Outcome }): JSX.Element => (
  <Show when={props.outcome.changes.length > 0}>
    <div class="scrollx" tabIndex={0} role="group" aria-label="Versions">
      <table class={`tbl ${styles["changes"]}`}>
        <thead>
          <tr>
            <th scope="col">Package</th>
            <th scope="col">From</th>
            <th scope="col">To</th>
            <th scope="col">Found afterwards</th>
          </tr>
        </thead>
        <tbody>
          <For each={props.outcome.changes}>
            {(change) => (
              <tr>
                <td class="strong">{change.name}</td>
                <td class="muted">
                  <span class="mono">{change.from ?? "–"}</span>
                </td>
                <td>
                  <span class="mono">{change.to ?? "newest"}</span>
                </td>
                <td>
                  <Found change={change} outcome={props.outcome} />
                </td>
              </tr>
            )}
          </For>
        </tbody>
      </table>
    </div>
  </Show>
)
