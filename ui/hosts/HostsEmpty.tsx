/** The list without rows: nothing registered yet, or nothing that matches. */
import { A } from "@solidjs/router"
import { Show, type JSX } from "solid-js"
import { may } from "../api/session.ts"
import { Icon } from "../kit/Icon.tsx"
import { filterTags, type HostQuery } from "./hostQuery.ts"
import styles from "./HostsEmpty.module.css"

export const HostsEmpty = (props: { onAdd: () => void }): JSX.Element => (
  <div class={`empty ${styles["empty"]}`}>
    <b>No hosts yet</b>
    <p class="muted">
      A host is a machine that runs the Linux Patch API agent. Register it by name or address, install the certificate
      you are given, and its pending updates appear here.
    </p>
    <Show when={may("hosts:create")}>
      <div class="actions">
        <button class="btn primary" type="button" onClick={() => props.onAdd()}>
          <Icon name="plus" />
          Add host
        </button>
        <Show when={may("discovery:run")}>
          <A class="btn" href="/discovery">
            <Icon name="search" />
            Discover hosts
          </A>
        </Show>
      </div>
    </Show>
  </div>
)

export const HostsNoMatch = (props: { query: HostQuery; onClear: () => void }): JSX.Element => (
  <div class={`empty ${styles["empty"]}`}>
    <b>No host matches</b>
    <p class="muted">
      {filterTags(props.query)
        .map(({ words }) => words)
        .join(", ")}
      .
    </p>
    <div class="actions">
      <button class="btn" type="button" onClick={() => props.onClear()}>
        Clear filters
      </button>
    </div>
  </div>
)
