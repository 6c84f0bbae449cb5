/** The host's transitions, newest first. Choosing one holds the chart there. */
import { createMemo, createSignal, For, Show, type JSX } from "solid-js"
import type { HostTransition } from "#core/Host.ts"
import { formatSpan } from "../format/time.ts"
import { Icon } from "../kit/Icon.tsx"
import { now } from "../kit/now.ts"
import { Time } from "../kit/Time.tsx"
import { stepOf } from "./moment.ts"
import styles from "./Timeline.module.css"

const SHORT = 12

const leaf = (state: string): string => state.split(".").at(-1) ?? state

const Row = (props: {
  transition: HostTransition
  /** Milliseconds until the next one, or until now. */
  lasted: number
  held: boolean
  newest: boolean
  onPin: () => void
}): JSX.Element => {
  const step = () => stepOf(props.transition)
  return (
    <li aria-current={props.held ? "step" : undefined} classList={{ [styles["newest"] ?? ""]: props.newest }}>
      <Time class={`mono ${styles["at"]}`} at={props.transition.at} as="exact" />
      <span class={`muted sm ${styles["lane"]}`}>{step()?.region ?? ""}</span>
      <span class={styles["fromto"]}>
        <Show when={step()} fallback={<span class="muted">{leaf(props.transition.to_work)}</span>}>
          {(moved) => (
            <>
              <span class="muted">{leaf(moved().from)}</span>
              <Icon name="arrow" />
              <button class={styles["to"]} type="button" onClick={() => props.onPin()}>
                {leaf(moved().to)}
              </button>
            </>
          )}
        </Show>
      </span>
      <span class={styles["words"]} title={props.transition.words}>
        {props.transition.words}
        <Show when={props.transition.by}>{(by) => <span class="muted"> by {by()}</span>}</Show>
      </span>
      <span class={`num muted sm ${styles["lasted"]}`}>{formatSpan(props.lasted)}</span>
    </li>
  )
}

export const Timeline = (props: {
  transitions: ReadonlyArray<HostTransition>
  pin: number | null
  onPin: (version: number | null) => void
  more: boolean
  onMore: () => void
}): JSX.Element => {
  const [long, setLong] = createSignal(false)
  const shown = createMemo(() => {
    const upTo = Math.max(SHORT, props.transitions.findIndex(({ version }) => version === props.pin) + 1)
    return long() ? props.transitions : props.transitions.slice(0, upTo)
  })
  const endOf = (transition: HostTransition): number => {
    const region = stepOf(transition)?.region
    const index = props.transitions.indexOf(transition)
    const next = props.transitions
      .slice(0, index)
      .findLast((one) => region === undefined || stepOf(one)?.region === region)
    return next === undefined ? now() : Date.parse(next.at)
  }
  const move = (step: 1 | -1): void => {
    const places = props.transitions.filter((transition) => stepOf(transition) !== null)
    const at = props.pin === null ? 0 : places.findIndex(({ version }) => version === props.pin)
    const next = at + step
    if (next <= 0) props.onPin(null)
    else props.onPin(places[Math.min(next, places.length - 1)]?.version ?? null)
  }
  return (
    <section class="card" aria-labelledby="h-timeline">
      <header>
        <h2 id="h-timeline">Timeline</h2>
        <div class={styles["scrub"]}>
          <button
            class="iconbtn"
            type="button"
            aria-label="One transition back"
            disabled={props.transitions.length < 2}
            onClick={() => move(1)}
          >
            <Icon name="prev" />
          </button>
          <button
            class="iconbtn"
            type="button"
            aria-label="One transition on"
            disabled={props.pin === null}
            onClick={() => move(-1)}
          >
            <Icon name="right" />
          </button>
          <Show
            when={props.pin !== null}
            fallback={
              <span class="live">
                <i />
                Live
              </span>
            }
          >
            <button class="btn s" type="button" onClick={() => props.onPin(null)}>
              Back to live
            </button>
          </Show>
        </div>
      </header>
      <Show
        when={props.transitions.length > 0}
        fallback={
          <div class="empty">
            <p class="muted">Nothing has happened yet. The first poll writes the first line.</p>
          </div>
        }
      >
        <ol class={`rows ${styles["list"]}`}>
          <For each={shown()}>
            {(transition, index) => (
              <Row
                transition={transition}
                lasted={endOf(transition) - Date.parse(transition.at)}
                held={props.pin === transition.version}
                newest={props.pin === null && index() === 0}
                onPin={() => props.onPin(transition.version)}
              />
            )}
          </For>
        </ol>
        <Show when={props.transitions.length > shown().length || props.more}>
          <div class={styles["foot"]}>
            <button
              class="btn quiet s"
              type="button"
              onClick={() => {
                if (props.transitions.length > shown().length) setLong(true)
                else props.onMore()
              }}
            >
              Show earlier
            </button>
          </div>
        </Show>
      </Show>
    </section>
  )
}
