/** The coming weeks as the scheduler will see them: who is patched when, and what is wrong with it. Nothing is touched. */
import { A, useSearchParams } from "@solidjs/router"
import { createMemo, For, Show, type JSX } from "solid-js"
import type { SimulationAnswer } from "#core/Window.ts"
import { keys } from "../api/keys.ts"
import { useData } from "../api/useData.ts"
import { simulateWindows } from "../api/windows.ts"
import { plural } from "../format/numbers.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { Icon } from "../kit/Icon.tsx"
import { State } from "../kit/State.tsx"
import { Time } from "../kit/Time.tsx"
import { usePage } from "../kit/usePage.ts"
import { Findings } from "./Findings.tsx"
import { spanIn } from "./zoneTime.ts"
import { runStates } from "./windowStates.ts"
import styles from "./Windows.module.css"

const choices = [1, 2, 4, 8, 12]

const DAY = 86_400_000

const dayName = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", weekday: "short", day: "numeric", month: "short" })

/** The days of the span in UTC, each with its openings. */
const daysOf = (answer: SimulationAnswer) => {
  const byDay = new Map<number, Array<SimulationAnswer["firings"][number]>>()
  const first = Math.floor(Date.parse(answer.from) / DAY)
  const last = Math.floor((Date.parse(answer.to) - 1) / DAY)
  for (let day = first; day <= last; day++) byDay.set(day, [])
  for (const firing of answer.firings.filter(({ hindrance }) => hindrance === null))
    byDay.get(Math.floor(Date.parse(firing.fires_at) / DAY))?.push(firing)
  return [...byDay].map(([day, firings]) => ({ words: dayName.format(day * DAY), firings }))
}

const Calendar = (props: { answer: SimulationAnswer }): JSX.Element => {
  const names = createMemo(() => new Map(props.answer.windows.map((window) => [window.id, window.name])))
  const size = (set: number): number => props.answer.host_sets[set]?.length ?? 0
  return (
    <ol class={styles["calendar"]} aria-label="Jobs by day, in UTC">
      <For each={daysOf(props.answer)}>
        {(day) => (
          <li classList={{ [styles["quiet"] ?? ""]: day.firings.length === 0 }}>
            <b>{day.words}</b>
            <For each={day.firings.slice(0, 4)}>
              {(firing) => (
                <span title={`${names().get(firing.window_id) ?? ""}, ${plural(size(firing.host_set), "host")}`}>
                  {firing.fires_at.slice(11, 16)} {names().get(firing.window_id)}
                </span>
              )}
            </For>
            <Show when={day.firings.length > 4}>
              <span class="muted">and {day.firings.length - 4} more</span>
            </Show>
          </li>
        )}
      </For>
    </ol>
  )
}

const MOST_ROWS = 200

/** How many hosts, and the first of them. */
const HostSet = (props: { answer: SimulationAnswer; set: number }): JSX.Element => {
  const places = (): ReadonlyArray<number> => props.answer.host_sets[props.set] ?? []
  const names = (): string => {
    const shown = places()
      .slice(0, 3)
      .map((place) => props.answer.hosts[place]?.display_name ?? "")
    return places().length > 3 ? `${shown.join(", ")} and ${places().length - 3} more` : shown.join(", ")
  }
  return (
    <span title={names()}>
      {plural(places().length, "host")}
      <span class="muted"> · {names()}</span>
    </span>
  )
}

const Queued = (props: { answer: SimulationAnswer }): JSX.Element => (
  <div class="scrollx" tabIndex={0} role="group" aria-label="Queued jobs">
    <table class={`tbl ${styles["jobs"]}`}>
      <thead>
        <tr>
          <th scope="col">Starts at the earliest</th>
          <th scope="col">Job</th>
          <th scope="col">Hosts</th>
        </tr>
      </thead>
      <tbody>
        <For each={props.answer.queued.slice(0, MOST_ROWS)}>
          {(queued) => (
            <tr>
              <td>
                <Show
                  when={queued.starts_at}
                  fallback={
                    <span class="st bad">
                      <Icon name="lost" />
                      Not in these weeks
                    </span>
                  }
                >
                  {(at) => <Time at={at()} />}
                </Show>
              </td>
              <td>
                <A href={`/jobs/${queued.job_id}`}>Job {queued.job_number}</A>
              </td>
              <td>
                <HostSet answer={props.answer} set={queued.host_set} />
              </td>
            </tr>
          )}
        </For>
      </tbody>
    </table>
    <Show when={props.answer.queued.length > MOST_ROWS}>
      <p class={`muted ${styles["foot"]}`}>
        The first {MOST_ROWS} of {props.answer.queued.length} are shown.
      </p>
    </Show>
  </div>
)

const Jobs = (props: { answer: SimulationAnswer }): JSX.Element => {
  const windows = createMemo(() => new Map(props.answer.windows.map((window) => [window.id, window])))
  return (
    <div class="scrollx" tabIndex={0} role="group" aria-label="Jobs">
      <table class={`tbl ${styles["jobs"]}`}>
        <thead>
          <tr>
            <th scope="col">Starts</th>
            <th scope="col">Window</th>
            <th scope="col">On its clocks</th>
            <th scope="col">Hosts</th>
          </tr>
        </thead>
        <tbody>
          <For each={props.answer.firings.slice(0, MOST_ROWS)}>
            {(firing) => (
              <tr>
                <td>
                  <Time at={firing.fires_at} />
                </td>
                <td>{windows().get(firing.window_id)?.name}</td>
                <td>
                  {spanIn(
                    windows().get(firing.window_id)?.time_zone ?? "UTC",
                    Date.parse(firing.opens_at),
                    Date.parse(firing.closes_at)
                  )}
                </td>
                <td>
                  <Show when={firing.hindrance} fallback={<HostSet answer={props.answer} set={firing.host_set} />}>
                    {(why) => <State of={why() === "no_host" ? runStates.nothing : runStates.refused} />}
                  </Show>
                </td>
              </tr>
            )}
          </For>
        </tbody>
      </table>
      <Show when={props.answer.firings_total > MOST_ROWS}>
        <p class={`muted ${styles["foot"]}`}>
          The first {MOST_ROWS} of {props.answer.firings_total} are shown.
        </p>
      </Show>
    </div>
  )
}

export default function SimulationPage(): JSX.Element {
  const page = usePage(() => "Simulate windows")
  const [parameters, setParameters] = useSearchParams<{ weeks?: string }>()
  const weeks = (): number => choices.find((choice) => String(choice) === parameters.weeks) ?? 4
  const simulation = useData(() => ({
    queryKey: [...keys.windows, "simulation", weeks()],
    queryFn: ({ signal }) => simulateWindows({ weeks: weeks() }, signal),
    keepPrevious: true
  }))
  return (
    <main class="main" id="main">
      <div class={`head ${styles["head"]}`}>
        <div>
          <h1 ref={page.ref}>Simulate windows</h1>
          <p class="sub">What the windows will do, worked out by the scheduler's own code. Nothing is touched.</p>
        </div>
        <div class={`actions ${styles["weeks"]}`}>
          <span class="seggroup" role="group" aria-label="Weeks">
            <For each={choices}>
              {(choice) => (
                <button
                  type="button"
                  aria-pressed={weeks() === choice}
                  onClick={() => setParameters({ weeks: choice === 4 ? undefined : String(choice) })}
                >
                  {plural(choice, "week")}
                </button>
              )}
            </For>
          </span>
          <A class="btn" href="/windows">
            <Icon name="calendar" />
            Windows
          </A>
        </div>
      </div>
      <DataArea query={simulation} what="The simulation" rows={10}>
        {(answer) => (
          <>
            <Findings answer={answer()} />
            <section class="card" aria-labelledby="h-calendar">
              <header>
                <h2 id="h-calendar">Calendar</h2>
                <span class="muted sm">automatic windows, in UTC</span>
              </header>
              <Show
                when={answer().firings.some(({ hindrance }) => hindrance === null)}
                fallback={
                  <div class={`empty ${styles["empty"]}`}>
                    <p class="muted">No job is made in these weeks.</p>
                  </div>
                }
              >
                <Calendar answer={answer()} />
              </Show>
            </section>
            <Show when={answer().queued.length > 0}>
              <section class="card" aria-labelledby="h-queued">
                <header>
                  <h2 id="h-queued">Jobs that wait</h2>
                  <span class="muted sm">waves and limits can delay them</span>
                </header>
                <Queued answer={answer()} />
              </section>
            </Show>
            <section class="card" aria-labelledby="h-jobs">
              <header>
                <h2 id="h-jobs">Who is patched when</h2>
                <span class="muted sm">{plural(answer().firings_total, "opening")}</span>
              </header>
              <Show
                when={answer().firings.length > 0}
                fallback={
                  <div class={`empty ${styles["empty"]}`}>
                    <p class="muted">
                      No window patches by itself in these weeks. Jobs that people make still wait for windows.
                    </p>
                  </div>
                }
              >
                <Jobs answer={answer()} />
              </Show>
            </section>
          </>
        )}
      </DataArea>
    </main>
  )
}
