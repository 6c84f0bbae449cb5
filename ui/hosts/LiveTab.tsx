/** The host's state as it moves, its timeline, and how long it spent where. A past moment can be held still. */
import { createEffect, createMemo, createSignal, on, Show, type JSX } from "solid-js"
import { keys } from "../api/keys.ts"
import { readTransitions } from "../api/hosts.ts"
import { usePages } from "../api/useData.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { Icon } from "../kit/Icon.tsx"
import { Time } from "../kit/Time.tsx"
import { useHost } from "./HostContext.ts"
import { LiveState } from "./LiveState.tsx"
import { momentAt, stepOf, type Moment } from "./moment.ts"
import { TimeInState } from "./TimeInState.tsx"
import { Timeline } from "./Timeline.tsx"
import styles from "./LiveTab.module.css"

export default function LiveTab(): JSX.Element {
  const { host } = useHost()
  const transitions = usePages(() => ({
    queryKey: keys.transitions(host().id),
    queryFn: ({ pageParam, signal }) => readTransitions(host().id, pageParam, signal)
  }))
  const all = createMemo(() => (transitions.data?.pages ?? []).flatMap(({ items }) => items))
  /** Held by version, never by place in the list: new rows come in above. */
  const [pin, setPin] = createSignal<number | null>(null)
  createEffect(
    on(
      () => host().id,
      () => setPin(null),
      { defer: true }
    )
  )
  const pinned = createMemo(() => {
    const version = pin()
    return version === null ? null : momentAt(all(), version)
  })
  const latest = (): Moment => {
    const moving = all().find((transition) => stepOf(transition) !== null)
    return { link: host().link, work: host().work, last: moving === undefined ? null : stepOf(moving) }
  }
  const moment = createMemo(() => pinned() ?? latest())
  const heldAt = (): string | undefined => all().find(({ version }) => version === pin())?.at
  return (
    <>
      <section class="card" aria-labelledby="h-state">
        <h2 class="vh" id="h-state">
          State
        </h2>
        <Show when={pinned() !== null && heldAt()}>
          {(at) => (
            <div class={styles["paused"]}>
              <Icon name="clock" />
              <p>
                <b>Held at a past moment</b>, <Time at={at()} as="full" />. The host itself goes on.
              </p>
              <button class="btn s" type="button" onClick={() => setPin(null)}>
                Back to live
              </button>
            </div>
          )}
        </Show>
        <LiveState host={host()} moment={moment()} pinned={pinned() !== null} />
      </section>
      <div class={`cols ${styles["below"]}`}>
        <DataArea query={transitions} what="The timeline" rows={6}>
          {() => (
            <Timeline
              transitions={all()}
              pin={pin()}
              onPin={setPin}
              more={transitions.hasNextPage}
              onMore={() => {
                if (!transitions.isFetching) void transitions.fetchNextPage()
              }}
            />
          )}
        </DataArea>
        <TimeInState transitions={all()} />
      </div>
    </>
  )
}
