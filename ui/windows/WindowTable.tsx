/** Windows as rows: for whom, when, where they stand, what they do by themselves. */
import { A } from "@solidjs/router"
import { createSignal, For, lazy, Match, Show, Suspense, Switch, type JSX } from "solid-js"
import type { WindowItem } from "#core/Window.ts"
import { ruleWords } from "#core/window/words.ts"
import { may, user } from "../api/session.ts"
import { changeWindow } from "../api/windows.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { plural } from "../format/numbers.ts"
import { Icon } from "../kit/Icon.tsx"
import { Menu, MenuItem, MenuSeparator } from "../kit/Menu.tsx"
import { State } from "../kit/State.tsx"
import { Time } from "../kit/Time.tsx"
import { say, sayFailed } from "../kit/toasts.ts"
import { runStates, windowState } from "./windowStates.ts"
import styles from "./Windows.module.css"

const WindowDialog = lazy(() => import("./WindowDialog.tsx"))
const DeleteWindowDialog = lazy(() => import("./DeleteWindowDialog.tsx"))
const OpeningsDialog = lazy(() => import("./OpeningsDialog.tsx"))

const Place = (props: { window: WindowItem }): JSX.Element => (
  <Switch fallback="All hosts">
    <Match when={props.window.scope.kind === "host" && props.window.scope}>
      {(scope) => <A href={`/hosts/${scope().host_id}/windows`}>{props.window.scope_name}</A>}
    </Match>
    <Match when={props.window.scope.kind === "group" && props.window.scope}>
      {(scope) => (
        <>
          group <A href={`/groups/${scope().group_id}`}>{props.window.scope_name}</A>
          <span class="muted"> · {plural(props.window.hosts_total, "host")}</span>
        </>
      )}
    </Match>
  </Switch>
)

const canChange = (window: WindowItem): boolean =>
  may("windows:change") && (window.scope.kind !== "all" || user()?.role === "admin")

const toggle = async (window: WindowItem): Promise<void> => {
  try {
    await changeWindow(window, { enabled: !window.enabled })
    say(`“${window.name}” switched ${window.enabled ? "off" : "on"}`)
  } catch (cause) {
    sayFailed(`“${window.name}” stays as it was`, cause)
  }
  void queryClient.invalidateQueries({ queryKey: keys.windows })
}

const Row = (props: { window: WindowItem; act: (what: "edit" | "delete" | "openings") => void }): JSX.Element => (
  <tr classList={{ [styles["off"] ?? ""]: !props.window.enabled }}>
    <td>
      <button class={styles["name"]} type="button" onClick={() => props.act("openings")}>
        {props.window.name}
      </button>
      <span class={`muted ${styles["rule"]}`}>{ruleWords(props.window)}</span>
    </td>
    <td>
      <Place window={props.window} />
    </td>
    <td>
      <State of={windowState(props.window)} />
      <Show when={props.window.current}>
        {(current) => (
          <span class="muted">
            {" "}
            until <Time at={current().closes_at} />
          </span>
        )}
      </Show>
    </td>
    <td classList={{ [styles["none"] ?? ""]: props.window.next === null }}>
      <Show when={props.window.next} fallback={<span class="muted">–</span>}>
        {(next) => <Time at={next().opens_at} />}
      </Show>
    </td>
    <td classList={{ [styles["none"] ?? ""]: props.window.auto_apply === null }}>
      <Show when={props.window.auto_apply} fallback={<span class="muted">–</span>}>
        {(apply) =>
          apply().selection.kind === "security"
            ? "Security"
            : apply().selection.kind === "all"
              ? "All patches"
              : "By name"
        }
      </Show>
    </td>
    <td classList={{ [styles["none"] ?? ""]: props.window.last_run === null }}>
      <Show when={props.window.last_run} fallback={<span class="muted">–</span>}>
        {(run) => (
          <Show when={run().job_id} fallback={<State of={runStates[run().outcome]} />}>
            {(id) => <A href={`/jobs/${id()}`}>Job #{run().job_number}</A>}
          </Show>
        )}
      </Show>
    </td>
    <td>
      <Menu label={`Actions for ${props.window.name}`} class="btn quiet sq" face={<Icon name="more" />}>
        <MenuItem icon="calendar" onSelect={() => props.act("openings")}>
          Openings…
        </MenuItem>
        <Show when={canChange(props.window)}>
          <MenuItem icon="settings" onSelect={() => props.act("edit")}>
            Change…
          </MenuItem>
          <MenuItem icon="power" onSelect={() => void toggle(props.window)}>
            Switch {props.window.enabled ? "off" : "on"}
          </MenuItem>
          <MenuSeparator />
          <MenuItem icon="failed" danger onSelect={() => props.act("delete")}>
            Delete…
          </MenuItem>
        </Show>
      </Menu>
    </td>
  </tr>
)

export const WindowTable = (props: { windows: ReadonlyArray<WindowItem> }): JSX.Element => {
  const [acting, setActing] = createSignal<{
    readonly what: "edit" | "delete" | "openings"
    readonly window: WindowItem
  } | null>(null)
  const on = (what: "edit" | "delete" | "openings"): WindowItem | undefined =>
    acting()?.what === what ? acting()?.window : undefined
  const close = (): void => void setActing(null)
  return (
    <>
      <div class="scrollx" tabIndex={0} role="group" aria-label="Windows">
        <table class={`tbl ${styles["table"]}`}>
          <thead>
            <tr>
              <th scope="col">Window</th>
              <th scope="col">For</th>
              <th scope="col">State</th>
              <th scope="col">Opens next</th>
              <th scope="col">By itself</th>
              <th scope="col">Last opening</th>
              <th scope="col">
                <span class="vh">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            <For each={props.windows}>
              {(window) => <Row window={window} act={(what) => setActing({ what, window })} />}
            </For>
          </tbody>
        </table>
      </div>
      <Suspense>
        <Show when={on("edit")}>{(window) => <WindowDialog window={window()} onClose={close} />}</Show>
        <Show when={on("delete")}>{(window) => <DeleteWindowDialog window={window()} onClose={close} />}</Show>
        <Show when={on("openings")}>{(window) => <OpeningsDialog window={window()} onClose={close} />}</Show>
      </Suspense>
    </>
  )
}
