/** Holds as rows: what is held, where, why and until when, with what can be done about each. */
import { A } from "@solidjs/router"
import { createSignal, For, lazy, Match, Show, Suspense, Switch, type JSX } from "solid-js"
import type { Hold } from "#core/Hold.ts"
import { may, user } from "../api/session.ts"
import { Icon } from "../kit/Icon.tsx"
import { Menu, MenuItem, MenuSeparator } from "../kit/Menu.tsx"
import { Time } from "../kit/Time.tsx"
import { holdPlace } from "./holdPlace.ts"
import styles from "./Holds.module.css"

const HoldDialog = lazy(() => import("./HoldDialog.tsx"))
const EndHoldDialog = lazy(() => import("./EndHoldDialog.tsx"))

const Place = (props: { hold: Hold }): JSX.Element => (
  <Switch fallback={<span class="muted">{holdPlace(props.hold)}</span>}>
    <Match when={props.hold.target.kind === "host" && props.hold.target}>
      {(target) => <A href={`/hosts/${target().host_id}/policy`}>{props.hold.target_name}</A>}
    </Match>
    <Match when={props.hold.target.kind === "group" && props.hold.target}>
      {(target) => (
        <>
          group <A href={`/groups/${target().group_id}`}>{props.hold.target_name}</A>
        </>
      )}
    </Match>
  </Switch>
)

const End = (props: { hold: Hold }): JSX.Element => (
  <Switch fallback="Until somebody ends it">
    <Match when={props.hold.ended_at}>
      {(at) => (
        <span class="muted">
          Ended <Time at={at()} /> by {props.hold.ended_by}
        </span>
      )}
    </Match>
    <Match when={props.hold.until}>
      {(at) => (
        <span classList={{ muted: !props.hold.active }}>
          {props.hold.active ? "Until" : "Ran out"} <Time at={at()} />
        </span>
      )}
    </Match>
  </Switch>
)

const canChange = (hold: Hold): boolean =>
  may("holds:change") &&
  hold.active &&
  hold.target.kind !== "other_group" &&
  (hold.target.kind !== "all" || user()?.role === "admin")

export const HoldTable = (props: { holds: ReadonlyArray<Hold>; label: string }): JSX.Element => {
  const [editing, setEditing] = createSignal<Hold | null>(null)
  const [ending, setEnding] = createSignal<Hold | null>(null)
  return (
    <>
      <div class="scrollx" tabIndex={0} role="group" aria-label={props.label}>
        <table class={`tbl ${styles["table"]}`}>
          <thead>
            <tr>
              <th scope="col">Package</th>
              <th scope="col">Where</th>
              <th scope="col">Reason</th>
              <th scope="col">Until</th>
              <th scope="col">By</th>
              <th scope="col">
                <span class="vh">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            <For each={props.holds}>
              {(hold) => (
                <tr classList={{ [styles["over"] ?? ""]: !hold.active }}>
                  <td class="mono" title={hold.pattern}>
                    {hold.pattern}
                  </td>
                  <td>
                    <Place hold={hold} />
                  </td>
                  <td title={hold.reason}>{hold.reason}</td>
                  <td>
                    <End hold={hold} />
                  </td>
                  <td class="muted" title={hold.created_by}>
                    {hold.created_by}
                  </td>
                  <td class="num">
                    <Show when={canChange(hold)}>
                      <Menu
                        label={`Actions for the hold on ${hold.pattern}`}
                        class="btn quiet sq s"
                        face={<Icon name="more" />}
                      >
                        <MenuItem icon="clock" onSelect={() => setEditing(hold)}>
                          Edit reason and end…
                        </MenuItem>
                        <MenuSeparator />
                        <MenuItem icon="failed" danger onSelect={() => setEnding(hold)}>
                          End hold…
                        </MenuItem>
                      </Menu>
                    </Show>
                  </td>
                </tr>
              )}
            </For>
          </tbody>
        </table>
      </div>
      <Suspense>
        <Show when={editing()}>{(hold) => <HoldDialog hold={hold()} onClose={() => setEditing(null)} />}</Show>
        <Show when={ending()}>{(hold) => <EndHoldDialog hold={hold()} onClose={() => setEnding(null)} />}</Show>
      </Suspense>
    </>
  )
}
