/** The hosts of a group: found by name, put in and taken out. */
import { A } from "@solidjs/router"
import { createMemo, createSignal, For, lazy, Show, Suspense, type JSX } from "solid-js"
import type { GroupDetail } from "#core/Group.ts"
import type { HostItem } from "#core/Host.ts"
import { listGroupHosts, removeGroupHosts } from "../api/groups.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { may } from "../api/session.ts"
import { usePages } from "../api/useData.ts"
import { count } from "../format/numbers.ts"
import { summaries } from "../format/states.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { Icon } from "../kit/Icon.tsx"
import { SearchField } from "../kit/SearchField.tsx"
import { State } from "../kit/State.tsx"
import { say, sayFailed } from "../kit/toasts.ts"
import styles from "./Groups.module.css"

const AddHostsDialog = lazy(() => import("./AddHostsDialog.tsx"))

export const GroupHosts = (props: { group: GroupDetail }): JSX.Element => {
  const [q, setQ] = createSignal("")
  const [adding, setAdding] = createSignal(false)
  const hosts = usePages(() => ({
    queryKey: [...keys.group(props.group.id), "hosts", q().trim()],
    queryFn: ({ pageParam, signal }) =>
      listGroupHosts(props.group.id, { q: q().trim(), cursor: pageParam, limit: 100 }, signal),
    keepPrevious: true
  }))
  const all = createMemo(() => (hosts.data?.pages ?? []).flatMap(({ items }) => items))
  const takeOut = async (host: HostItem): Promise<void> => {
    try {
      await removeGroupHosts(props.group.id, [host.id])
      say(`${host.display_name} is no longer in ${props.group.name}`)
      void queryClient.invalidateQueries({ queryKey: keys.groups })
      void queryClient.invalidateQueries({ queryKey: keys.host(host.id) })
    } catch (cause) {
      sayFailed(`${host.display_name} was not taken out of the group`, cause)
    }
  }
  return (
    <section class="card" aria-labelledby="h-group-hosts">
      <header>
        <h2 id="h-group-hosts">Hosts ({count(props.group.hosts_total)})</h2>
        <A href={`/hosts?group=${props.group.id}`}>Show in the host list</A>
        <Show when={may("groups:change")}>
          <button class="btn s" type="button" onClick={() => setAdding(true)}>
            <Icon name="plus" />
            Add hosts…
          </button>
        </Show>
      </header>
      <div class={styles["search"]}>
        <SearchField label="Filter the group's hosts" placeholder="Name or address" value={q()} onInput={setQ} />
      </div>
      <DataArea
        query={hosts}
        what="The group's hosts"
        isEmpty={() => all().length === 0}
        empty={
          <p class={`muted ${styles["note"]}`}>
            {q().trim() === "" ? "No hosts yet." : `No host of the group has “${q().trim()}” in its name or address.`}
          </p>
        }
      >
        {() => (
          <table class={`tbl ${styles["hosts"]}`}>
            <thead>
              <tr>
                <th scope="col">Host</th>
                <th scope="col">State</th>
                <th scope="col">Address</th>
                <th scope="col">
                  <span class="vh">Take out</span>
                </th>
              </tr>
            </thead>
            <tbody>
              <For each={all()}>
                {(host) => (
                  <tr>
                    <td>
                      <A href={`/hosts/${host.id}`}>{host.display_name}</A>
                    </td>
                    <td>
                      <State of={summaries[host.summary]} />
                    </td>
                    <td class="mono">{host.address}</td>
                    <td class="num">
                      <Show when={may("groups:change")}>
                        <button
                          class="btn quiet s"
                          type="button"
                          aria-label={`Take out ${host.display_name}`}
                          onClick={() => void takeOut(host)}
                        >
                          Take out
                        </button>
                      </Show>
                    </td>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
        )}
      </DataArea>
      <Show when={hosts.hasNextPage}>
        <div class={styles["foot"]}>
          <button
            class="btn quiet s"
            type="button"
            disabled={hosts.isFetching}
            onClick={() => void hosts.fetchNextPage()}
          >
            Show more hosts
          </button>
        </div>
      </Show>
      <Suspense>
        <Show when={adding()}>
          <AddHostsDialog group={props.group} onClose={() => setAdding(false)} />
        </Show>
      </Suspense>
    </section>
  )
}
