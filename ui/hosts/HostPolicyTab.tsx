/** What was decided about this host beforehand: its groups, what is held on it, which services are checked. */
import { A } from "@solidjs/router"
import { createSignal, For, lazy, Match, Show, Suspense, Switch, type JSX } from "solid-js"
import type { HostServiceChecks } from "#core/ServiceCheck.ts"
import { readHostServices, replaceHostServices } from "../api/groups.ts"
import { listHolds } from "../api/holds.ts"
import { keys } from "../api/keys.ts"
import { may } from "../api/session.ts"
import { useData } from "../api/useData.ts"
import { HoldTable } from "../holds/HoldTable.tsx"
import { DataArea } from "../kit/DataArea.tsx"
import { Icon } from "../kit/Icon.tsx"
import { useHost } from "./HostContext.ts"
import styles from "./HostPolicyTab.module.css"

const HoldDialog = lazy(() => import("../holds/HoldDialog.tsx"))
const ServicesDialog = lazy(() => import("../groups/ServicesDialog.tsx"))

const Groups = (): JSX.Element => {
  const { host } = useHost()
  return (
    <section class="card" aria-labelledby="h-groups">
      <header>
        <h2 id="h-groups">Groups</h2>
      </header>
      <Show
        when={host().groups.length > 0}
        fallback={
          <p class={`muted ${styles["note"]}`}>
            In no group you can see. Without any group every operator sees the host.
          </p>
        }
      >
        <div class={styles["items"]}>
          <For each={host().groups}>
            {(group) => (
              <A class="tag" href={`/groups/${group.id}`}>
                {group.name}
              </A>
            )}
          </For>
        </div>
      </Show>
    </section>
  )
}

const Holds = (): JSX.Element => {
  const { host } = useHost()
  const [adding, setAdding] = createSignal(false)
  const holds = useData(() => ({
    queryKey: [...keys.holds, "of-host", host().id],
    queryFn: ({ signal }) => listHolds({ host_id: host().id, active: true, limit: 200 }, signal)
  }))
  return (
    <section class="card" aria-labelledby="h-holds">
      <header>
        <h2 id="h-holds">Held packages</h2>
        <A href={`/holds?host=${host().id}&show=all`}>All holds</A>
        <Show when={may("holds:change")}>
          <button class="btn s" type="button" onClick={() => setAdding(true)}>
            <Icon name="plus" />
            Hold packages…
          </button>
        </Show>
      </header>
      <DataArea
        query={holds}
        what="Holds"
        rows={2}
        isEmpty={(page) => page.items.length === 0}
        empty={<p class={`muted ${styles["note"]}`}>Nothing is held: a run may change every package.</p>}
      >
        {(page) => <HoldTable holds={page().items} label="Held packages" />}
      </DataArea>
      <Suspense>
        <Show when={adding()}>
          <HoldDialog
            on={{ target: { kind: "host", host_id: host().id }, name: host().display_name }}
            onClose={() => setAdding(false)}
          />
        </Show>
      </Suspense>
    </section>
  )
}

const Where = (props: { checks: HostServiceChecks }): JSX.Element => (
  <p class={`muted ${styles["note"]}`}>
    <Switch fallback="None: nothing is checked before and after a run.">
      <Match when={props.checks.decided_by === "host" && props.checks.from_groups.length > 0}>
        The host's own list, instead of its groups'.
      </Match>
      <Match when={props.checks.decided_by === "host"}>The host's own list.</Match>
      <Match when={props.checks.decided_by === "groups"}>
        From{" "}
        <For each={props.checks.from_groups}>
          {(group, at) => (
            <>
              {at() > 0 ? ", " : ""}
              <Show when={group.group_id} fallback="a group you are not in">
                {(id) => <A href={`/groups/${id()}`}>{group.group_name}</A>}
              </Show>{" "}
              ({group.services.join(", ")})
            </>
          )}
        </For>
        .
      </Match>
    </Switch>
  </p>
)

const Services = (): JSX.Element => {
  const { host } = useHost()
  const [editing, setEditing] = createSignal(false)
  const checks = useData(() => ({
    queryKey: keys.hostServices(host().id),
    queryFn: ({ signal }) => readHostServices(host().id, signal)
  }))
  const save = async (services: ReadonlyArray<string>): Promise<void> => {
    await replaceHostServices(host().id, services)
    void checks.refetch()
  }
  return (
    <section class="card" aria-labelledby="h-services">
      <header>
        <h2 id="h-services">Service checks</h2>
        <Show when={may("hosts:change") && checks.data !== undefined}>
          <button class="btn s" type="button" onClick={() => setEditing(true)}>
            Edit…
          </button>
        </Show>
      </header>
      <DataArea query={checks} what="Service checks" rows={2}>
        {(now) => (
          <>
            <Show when={now().effective.length > 0}>
              <div class={styles["items"]}>
                <For each={now().effective}>{(name) => <span class="tag mono">{name}</span>}</For>
              </div>
            </Show>
            <Where checks={now()} />
          </>
        )}
      </DataArea>
      <Suspense>
        <Show when={editing() && checks.data}>
          {(now) => (
            <ServicesDialog
              of={host().display_name}
              services={now().own}
              hint="A list of the host's own replaces those of its groups."
              onSave={save}
              onClose={() => setEditing(false)}
            />
          )}
        </Show>
      </Suspense>
    </section>
  )
}

export default function HostPolicyTab(): JSX.Element {
  return (
    <div class={styles["policy"]}>
      <Holds />
      <div class={`cols ${styles["cols"]}`}>
        <Services />
        <Groups />
      </div>
    </div>
  )
}
