/** How long the newest order spent in each state. */
import { createMemo, For, Show, type JSX } from "solid-js"
import type { HostTransition } from "#core/Host.ts"
import { formatSpan } from "../format/time.ts"
import { workStates } from "../format/states.ts"
import { now } from "../kit/now.ts"
import { timeInState } from "./moment.ts"
import styles from "./TimeInState.module.css"

export const TimeInState = (props: { transitions: ReadonlyArray<HostTransition> }): JSX.Element => {
  const times = createMemo(() => timeInState(props.transitions, now()))
  const longest = (): number => Math.max(1, ...(times()?.spent ?? []).map(({ milliseconds }) => milliseconds))
  return (
    <section class="card" aria-labelledby="h-times">
      <header>
        <h2 id="h-times">Time in state</h2>
        <Show when={times()}>{(all) => <span class="muted sm">newest order, {formatSpan(all().total)}</span>}</Show>
      </header>
      <Show
        when={times()}
        fallback={
          <div class="empty">
            <p class="muted">No order among the transitions shown.</p>
          </div>
        }
      >
        {(all) => (
          <ul class={`rows ${styles["list"]}`}>
            <For each={all().spent}>
              {(one) => (
                <li>
                  <span classList={{ strong: one.current }}>{workStates[one.state].word}</span>
                  <svg class="bar" height="6" aria-hidden="true">
                    <rect class="f-rest" width="100%" height="6" />
                    <rect
                      class={one.current ? "f-run" : "f-idle"}
                      width={`${Math.max(1, (one.milliseconds / longest()) * 100)}%`}
                      height="6"
                    />
                  </svg>
                  <span class="num" classList={{ strong: one.current }}>
                    {formatSpan(one.milliseconds)}
                  </span>
                </li>
              )}
            </For>
          </ul>
        )}
      </Show>
    </section>
  )
}
