/** The next openings of what is being typed, from the calendar that the worker uses. */
import { createMemo, For, Show, type JSX } from "solid-js"
import type { WindowCalendar } from "#core/Window.ts"
import { nextOccurrences, type Occurrence } from "#core/window/occurrences.ts"
import { clockChangeWords, ruleWords } from "#core/window/words.ts"
import { Icon } from "../kit/Icon.tsx"
import { Time } from "../kit/Time.tsx"
import { spanIn } from "./zoneTime.ts"
import styles from "./Windows.module.css"

const SHOWN = 5

const openingsOf = (calendar: WindowCalendar): ReadonlyArray<Occurrence> | null => {
  try {
    return nextOccurrences(calendar, Date.now(), SHOWN)
  } catch {
    // No such zone, while it is being typed.
    return null
  }
}

export const OpeningLine = (props: { zone: string; opening: Occurrence }): JSX.Element => (
  <li>
    <span>{spanIn(props.zone, props.opening.opens_at, props.opening.closes_at)}</span>
    <span class="muted">
      <Time at={new Date(props.opening.opens_at).toISOString()} /> for you
    </span>
    <Show when={clockChangeWords[props.opening.clock_change]}>
      {(words) => (
        <span class={`warn ${styles["note"]}`}>
          <Icon name="clock" />
          {words()}
        </span>
      )}
    </Show>
  </li>
)

export const Preview = (props: { calendar: WindowCalendar | null }): JSX.Element => {
  const openings = createMemo(() => (props.calendar === null ? null : openingsOf(props.calendar)))
  return (
    <section class={styles["preview"]} aria-label="Next openings" aria-live="polite">
      <Show
        when={openings() && props.calendar}
        fallback={<p class="muted">Fill in the days, the time, the zone and the length to see when it opens.</p>}
      >
        {(calendar) => (
          <>
            <b>{ruleWords(calendar())}</b>
            <Show
              when={(openings() ?? []).length > 0}
              fallback={<p class="warn">It never opens again: the rule lies in the past.</p>}
            >
              <ol>
                <For each={openings() ?? []}>
                  {(opening) => <OpeningLine zone={calendar().time_zone} opening={opening} />}
                </For>
              </ol>
            </Show>
          </>
        )}
      </Show>
    </section>
  )
}
