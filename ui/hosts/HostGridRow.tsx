/** One host in the list; its cells follow the live feed by themselves. */
import { A } from "@solidjs/router"
import { createMemo, Show, type JSX } from "solid-js"
import type { HostItem } from "#core/Host.ts"
import { linkStates, patchStateOf, patchStates, rebootStateOf, workStates } from "../format/states.ts"
import { systemName } from "../format/systemName.ts"
import { State } from "../kit/State.tsx"
import { Time } from "../kit/Time.tsx"
import { now } from "../kit/now.ts"
import { isRemoved, overlay } from "../live/liveHosts.ts"
import type { HostRow } from "./HostGrid.tsx"
import { splitName } from "./splitName.ts"
import styles from "./HostGrid.module.css"

/** Numbers a host reported so long ago are shown, but faintly. */
const STALE_MS = 60 * 60 * 1000

const Cells = (props: {
  host: HostItem
  selected: boolean
  onSelect: (on: boolean, range: boolean) => void
}): JSX.Element => {
  const name = createMemo(() => splitName(props.host.display_name))
  const stale = (): boolean =>
    props.host.last_seen_at !== null && now() - Date.parse(props.host.last_seen_at) > STALE_MS
  return (
    <>
      <td class={styles["ck"]} role="gridcell">
        <input
          type="checkbox"
          class="ck"
          checked={props.selected}
          tabIndex={-1}
          aria-label={`Select ${props.host.display_name}`}
          onClick={(event) => props.onSelect(event.currentTarget.checked, event.shiftKey)}
        />
      </td>
      <td class={styles["host"]} role="gridcell">
        <A href={`/hosts/${props.host.id}`} tabIndex={-1} title={props.host.fqdn ?? props.host.address}>
          {name()[0]}
          <span class={styles["domain"]}>{name()[1]}</span>
        </A>
      </td>
      <td class={styles["conn"]} role="gridcell">
        <State of={linkStates[props.host.link]} />
      </td>
      <td class={styles["pat"]} role="gridcell">
        <State of={patchStates[patchStateOf(props.host)]} />
      </td>
      <td class={styles["work"]} role="gridcell">
        <Show when={!isRemoved(props.host.id)} fallback={<span class="muted">Removed</span>}>
          <State of={workStates[props.host.work]} />
        </Show>
      </td>
      <td class={`num ${styles["n"]}`} classList={{ stale: stale() }} role="gridcell">
        <span classList={{ zero: !props.host.security }}>{props.host.security ?? "–"}</span>
      </td>
      <td class={`num ${styles["n"]}`} classList={{ stale: stale() }} role="gridcell">
        <span classList={{ zero: !props.host.pending }}>{props.host.pending ?? "–"}</span>
      </td>
      <td class={styles["reb"]} role="gridcell">
        <State of={rebootStateOf(props.host.reboot_needed)} />
      </td>
      <td class={styles["os"]} role="gridcell">
        <span class="muted" title={`${props.host.os ?? "Unknown"} ${props.host.os_version ?? ""}`}>
          {systemName(props.host.os, props.host.os_version)}
        </span>
      </td>
      <td class={`num ${styles["seen"]}`} role="gridcell">
        <span class="muted">
          <Show when={props.host.last_seen_at} fallback="never">
            {(at) => <Time at={at()} as="age" />}
          </Show>
        </span>
      </td>
    </>
  )
}

export const HostGridRow = (props: {
  row: (HostRow & { readonly index: number }) | undefined
  active: boolean
  selected: boolean
  onSelect: (on: boolean, range: boolean) => void
  onActivate: () => void
}): JSX.Element => {
  const host = createMemo(() => (props.row === undefined ? undefined : overlay(props.row.item, props.row.asked_at)))
  return (
    <Show when={host()}>
      {(now) => (
        <tr
          role="row"
          id={`host-${now().id}`}
          classList={{ [styles["active"] ?? ""]: props.active, stale: isRemoved(now().id) }}
          aria-selected={props.selected}
          aria-rowindex={(props.row?.index ?? 0) + 2}
          onPointerDown={() => props.onActivate()}
        >
          <Cells host={now()} selected={props.selected} onSelect={props.onSelect} />
        </tr>
      )}
    </Show>
  )
}

export const LoadingRow = (): JSX.Element => (
  <tr role="row" aria-hidden="true">
    <td colSpan={10} role="gridcell">
      <svg class={styles["loading"]}>
        <rect class="sk" x="38" y="4" width="30%" height="8" />
      </svg>
    </td>
  </tr>
)
