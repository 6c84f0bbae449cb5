/** The agent's own log of one host, following its end until somebody scrolls up. */
import { createEffect, createSignal, For, on, Show, type JSX } from "solid-js"
import type { JobHost } from "#core/Job.ts"
import { download } from "../kit/download.ts"
import { Icon } from "../kit/Icon.tsx"
import styles from "./JobLog.module.css"

const NEAR = 24

export const JobLog = (props: { host: JobHost | undefined }): JSX.Element => {
  const [following, setFollowing] = createSignal(true)
  let lines: HTMLDivElement | undefined
  const toEnd = (): void => {
    if (lines !== undefined) lines.scrollTop = lines.scrollHeight
  }
  createEffect(
    on(
      () => [props.host?.order_id, props.host?.log.length, following()],
      () => {
        if (following()) queueMicrotask(toEnd)
      }
    )
  )
  return (
    <section class={`card ${styles["card"]}`} aria-labelledby="h-log">
      <header>
        <h2 id="h-log">
          Agent's log <Show when={props.host}>{(host) => <span class="muted">{host().host_name}</span>}</Show>
        </h2>
        <Show when={props.host !== undefined && !props.host.ended}>
          <Show
            when={following()}
            fallback={
              <button class="btn s" type="button" onClick={() => setFollowing(true)}>
                Follow
              </button>
            }
          >
            <span class="live">
              <i />
              Following
            </span>
          </Show>
        </Show>
        <button
          class="iconbtn"
          type="button"
          aria-label="Download log"
          disabled={(props.host?.log.length ?? 0) === 0}
          onClick={() =>
            download(`${props.host?.host_name ?? "host"}.log`, `${props.host?.log.join("\n") ?? ""}\n`, "text/plain")
          }
        >
          <Icon name="download" />
        </button>
      </header>
      <div
        class={styles["lines"]}
        ref={lines}
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label="Agent's log"
        onScroll={(event) => {
          const { scrollTop, scrollHeight, clientHeight } = event.currentTarget
          setFollowing(scrollHeight - scrollTop - clientHeight < NEAR)
        }}
      >
        <For
          each={props.host?.log ?? []}
          fallback={
            <p class={styles["none"]}>
              {props.host === undefined || props.host.started_at === null
                ? "The agent has not been asked yet."
                : "The agent has not written anything yet."}
            </p>
          }
        >
          {(line) => <div>{line}</div>}
        </For>
      </div>
    </section>
  )
}
