/** When this host may be worked on: which windows hold for it, which rule won, and why. */
import { A } from "@solidjs/router"
import { createSignal, For, lazy, Match, Show, Suspense, Switch, type JSX } from "solid-js"
import type { HostWindow, OpenSpan } from "#core/Window.ts"
import { keys } from "../api/keys.ts"
import { may } from "../api/session.ts"
import { useData } from "../api/useData.ts"
import { readHostWindows } from "../api/windows.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { Icon } from "../kit/Icon.tsx"
import { Time } from "../kit/Time.tsx"
import { useHost } from "./HostContext.ts"
import styles from "./HostWindowsTab.module.css"

const WindowDialog = lazy(() => import("../windows/WindowDialog.tsx"))

const sources: Readonly<Record<HostWindow["source"], string>> = {
  host: "the host's own",
  group: "group",
  other_group: "a group you do not see",
  all: "all hosts"
}

const Rules = (props: { title: string; windows: ReadonlyArray<HostWindow> }): JSX.Element => (
  <Show when={props.windows.length > 0}>
    <div class={styles["rules"]}>
      <span class="lab">{props.title}</span>
      <ul>
        <For each={props.windows}>
          {(window) => (
            <li>
              <b>{window.name}</b>{" "}
              <span class="tag">
                {window.group_name === null ? sources[window.source] : `group ${window.group_name}`}
              </span>
              <span class="muted">
                {window.words}
                {window.automatic ? "; patches by itself" : ""}
              </span>
            </li>
          )}
        </For>
      </ul>
    </div>
  </Show>
)

const Span = (props: { span: OpenSpan }): JSX.Element => (
  <li>
    <Time at={props.span.opens_at} /> – <Time at={props.span.closes_at} />
    <span class="muted">{props.span.window_names.join(", ")}</span>
  </li>
)

export default function HostWindowsTab(): JSX.Element {
  const { host } = useHost()
  const [adding, setAdding] = createSignal(false)
  const windows = useData(() => ({
    queryKey: [...keys.windows, "of-host", host().id],
    queryFn: ({ signal }) => readHostWindows(host().id, signal),
    refetchInterval: 30_000
  }))
  return (
    <section class="card" aria-labelledby="h-windows">
      <header>
        <h2 id="h-windows">Maintenance windows</h2>
        <A href="/windows">All windows</A>
        <Show when={may("windows:change")}>
          <button class="btn s" type="button" onClick={() => setAdding(true)}>
            <Icon name="plus" />
            Add its own…
          </button>
        </Show>
      </header>
      <DataArea query={windows} what="The windows" rows={4}>
        {(found) => (
          <div class={styles["body"]}>
            <p>
              <Switch
                fallback={
                  <span class="st plain">
                    <Icon name="calendar" />
                    Closed now
                  </span>
                }
              >
                <Match when={found().blackout}>
                  {(span) => (
                    <span class="st warn">
                      <Icon name="hold" />
                      Blackout “{span().window_names.join(", ")}” until <Time at={span().closes_at} />
                    </span>
                  )}
                </Match>
                <Match when={found().open}>
                  {(span) => (
                    <span class="st run">
                      <Icon name="clock" />
                      Open until <Time at={span().closes_at} />
                    </span>
                  )}
                </Match>
                <Match when={found().won_by === "none"}>
                  <span class="st warn">
                    <Icon name="warning" />
                    No window covers it
                  </span>
                </Match>
              </Switch>
            </p>
            <p class="muted">{found().why}</p>
            <Rules title="These hold" windows={found().windows} />
            <Rules title="Replaced by the host's own" windows={found().replaced} />
            <Rules title="Blackouts, which win over every window" windows={found().blackouts} />
            <Show when={found().next.length > 0}>
              <div class={styles["rules"]}>
                <span class="lab">Open next, blackouts taken out</span>
                <ol>
                  <For each={found().next}>{(span) => <Span span={span} />}</For>
                </ol>
              </div>
            </Show>
          </div>
        )}
      </DataArea>
      <Suspense>
        <Show when={adding()}>
          <WindowDialog on={{ host_id: host().id, name: host().display_name }} onClose={() => setAdding(false)} />
        </Show>
      </Suspense>
    </section>
  )
}
