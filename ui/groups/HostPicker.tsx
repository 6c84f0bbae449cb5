/** Finds hosts by name or address and lets one or several be chosen. */
import { createSignal, For, Show, type JSX } from "solid-js"
import type { HostId } from "#core/Ids.ts"
import { listHosts } from "../api/hosts.ts"
import { keys } from "../api/keys.ts"
import { useData } from "../api/useData.ts"
import { count } from "../format/numbers.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { SearchField } from "../kit/SearchField.tsx"
import styles from "./HostPicker.module.css"

const SHOWN = 50

export type Chosen = ReadonlyMap<HostId, string>

export const HostPicker = (props: {
  chosen: Chosen
  onChange: (chosen: Chosen) => void
  several?: boolean
}): JSX.Element => {
  const [q, setQ] = createSignal("")
  const hosts = useData(() => ({
    queryKey: [...keys.hosts, "picker", q().trim()],
    queryFn: ({ signal }) => listHosts({ q: q().trim(), sort: "name", limit: SHOWN }, signal),
    keepPrevious: true
  }))
  const toggle = (id: HostId, name: string, on: boolean): void => {
    const next = new Map(props.several === true ? props.chosen : [])
    if (on) next.set(id, name)
    else next.delete(id)
    props.onChange(next)
  }
  return (
    <div class={styles["picker"]}>
      <SearchField label="Find hosts by name or address" placeholder="Name or address" value={q()} onInput={setQ} />
      <div class={styles["list"]} role="group" aria-label="Hosts">
        <DataArea
          query={hosts}
          what="Hosts"
          isEmpty={(page) => page.items.length === 0}
          empty={<p class="muted">No host has “{q().trim()}” in its name or address.</p>}
        >
          {(page) => (
            <>
              <For each={page().items}>
                {(host) => (
                  <label class={styles["host"]}>
                    <input
                      class={props.several === true ? "ck" : "rd"}
                      type={props.several === true ? "checkbox" : "radio"}
                      name="picked-host"
                      checked={props.chosen.has(host.id)}
                      onChange={(event) => toggle(host.id, host.display_name, event.currentTarget.checked)}
                    />
                    <span class="trunc">{host.display_name}</span>
                    <span class="muted mono">{host.address}</span>
                  </label>
                )}
              </For>
              <Show when={page().total > SHOWN}>
                <p class="muted sm">{count(page().total - SHOWN)} more: type part of a name.</p>
              </Show>
            </>
          )}
        </DataArea>
      </div>
    </div>
  )
}
