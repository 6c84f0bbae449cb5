/** Everything installed on the host, as last read. */
import { createMemo, createSignal, For, Show, type JSX } from "solid-js"
import { keys } from "../api/keys.ts"
import { readPackages } from "../api/hosts.ts"
import { useData } from "../api/useData.ts"
import { count, plural } from "../format/numbers.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { SearchField } from "../kit/SearchField.tsx"
import { Time } from "../kit/Time.tsx"
import { useHost } from "./HostContext.ts"
import styles from "./PackagesTab.module.css"

const AT_ONCE = 300

export default function PackagesTab(): JSX.Element {
  const { host } = useHost()
  const [text, setText] = createSignal("")
  const [most, setMost] = createSignal(AT_ONCE)
  const packages = useData(() => ({
    queryKey: keys.packages(host().id),
    queryFn: ({ signal }) => readPackages(host().id, signal)
  }))
  const matching = createMemo(() => {
    const wanted = text().trim().toLowerCase()
    return (packages.data?.items ?? []).filter(({ name }) => name.toLowerCase().includes(wanted))
  })
  return (
    <section class="card" aria-labelledby="h-packages">
      <header class={styles["head"]}>
        <h2 id="h-packages">
          Installed packages{" "}
          <Show when={packages.data}>{(all) => <span class="muted">{count(all().total)}</span>}</Show>
        </h2>
        <Show when={packages.data?.read_at}>
          {(at) => (
            <span class="muted sm">
              read <Time at={at()} />
            </span>
          )}
        </Show>
        <SearchField label="Filter packages" placeholder="Package" value={text()} onInput={setText} />
      </header>
      <DataArea
        query={packages}
        what="The packages"
        rows={10}
        isEmpty={(all) => all.total === 0}
        empty={
          <div class="empty">
            <p class="muted">The package list has not been read yet. It is read after the first poll and once a day.</p>
          </div>
        }
      >
        {() => (
          <>
            <table class="tbl">
              <thead>
                <tr>
                  <th scope="col">Package</th>
                  <th scope="col">Version</th>
                </tr>
              </thead>
              <tbody>
                <For each={matching().slice(0, most())}>
                  {(one) => (
                    <tr>
                      <td class="strong">{one.name}</td>
                      <td>
                        <span class="mono">{one.version}</span>
                      </td>
                    </tr>
                  )}
                </For>
              </tbody>
            </table>
            <Show when={matching().length === 0}>
              <div class={`empty ${styles["none"]}`}>
                <p class="muted">No installed package has “{text()}” in its name.</p>
              </div>
            </Show>
            <Show when={matching().length > most()}>
              <div class={styles["foot"]}>
                <button class="btn quiet s" type="button" onClick={() => setMost(Infinity)}>
                  Show {plural(matching().length - most(), "more package")}
                </button>
              </div>
            </Show>
          </>
        )}
      </DataArea>
    </section>
  )
}
