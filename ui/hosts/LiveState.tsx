/** Where the host stands in its two regions: drawn, and in words with since when and what happens if nothing is heard. */
import { Show, type JSX } from "solid-js"
import type { HostDetail } from "#core/Host.ts"
import { HostChart } from "../chart/HostChart.tsx"
import { layout } from "../chart/layout.ts"
import { formatMoment, formatSpan } from "../format/time.ts"
import { linkStates, workStates } from "../format/states.ts"
import { now } from "../kit/now.ts"
import { State } from "../kit/State.tsx"
import { Time } from "../kit/Time.tsx"
import { preferences } from "../shell/preferences.ts"
import type { Moment } from "./moment.ts"
import styles from "./LiveState.module.css"

/** What the machine itself says happens when a state's time runs out, by the timer's id. */
const limits = new Map<string, { readonly delay: string; readonly next: string }>(
  layout.wide.nodes.flatMap(({ id, limit }) =>
    limit === null ? [] : [[`xstate.after.${limit.delay}.${id}`, limit] as const]
  )
)

/** Delays that are meant to run out, rather than to guard against silence. */
const pauses = new Set(["backoff", "quiet", "calm"])

/** The first deadline that decides something. */
const deadlineOf = (deadlines: HostDetail["deadlines"]) =>
  deadlines
    .flatMap(({ id, due_at }) => {
      const limit = limits.get(id)
      return limit === undefined ? [] : [{ due_at, next: limit.next, pause: pauses.has(limit.delay) }]
    })
    .toSorted((a, b) => a.due_at.localeCompare(b.due_at))[0]

const Lane = (props: { name: string; second?: boolean; children: JSX.Element }): JSX.Element => (
  <div class={styles["lane"]} classList={{ [styles["second"] ?? ""]: props.second === true }}>
    <h3>{props.name}</h3>
    {props.children}
  </div>
)

const LinkHead = (props: { host: HostDetail; moment: Moment; pinned: boolean }): JSX.Element => (
  <Lane name="Link">
    <State of={linkStates[props.moment.link]} />
    <Show when={!props.pinned && props.host.link !== "healthy" && props.host.health.failure_message}>
      {(words) => <span class={`muted ${styles["wide"]}`}>{words()}</span>}
    </Show>
  </Lane>
)

const WorkHead = (props: { host: HostDetail; moment: Moment; pinned: boolean }): JSX.Element => (
  <Lane name="Work" second>
    <State of={workStates[props.moment.work]} />
    <Show when={!props.pinned}>
      <span class="muted">
        since <Time at={props.host.since} />, {formatSpan(now() - Date.parse(props.host.since))}
      </span>
      <Show when={deadlineOf(props.host.deadlines)}>
        {(deadline) => (
          <span class={`muted ${styles["wide"]}`}>
            {deadline().pause ? "At" : "If nothing is heard by"} <Time at={deadline().due_at} />, {deadline().next}.
          </span>
        )}
      </Show>
    </Show>
  </Lane>
)

export const LiveState = (props: { host: HostDetail; moment: Moment; pinned: boolean }): JSX.Element => {
  const facts = (): ReadonlyArray<readonly [name: string, value: string]> => {
    const { polled_at, next_poll_at } = props.host.health
    return [
      ["Last poll", polled_at === null ? "none yet" : formatMoment(polled_at, preferences.zone)],
      ["Next poll", next_poll_at === null ? "not planned" : formatMoment(next_poll_at, preferences.zone)]
    ]
  }
  return (
    <div class={styles["card"]}>
      <HostChart
        link={props.moment.link}
        work={props.moment.work}
        last={props.moment.last}
        past={props.pinned}
        facts={props.pinned ? [] : facts()}
        linkHead={<LinkHead host={props.host} moment={props.moment} pinned={props.pinned} />}
        workHead={<WorkHead host={props.host} moment={props.moment} pinned={props.pinned} />}
      />
    </div>
  )
}
