/** The job's waves, in order: how many hosts each has, and which one is under way. */
import { For, Show, type JSX } from "solid-js"
import type { JobDetail } from "#core/Job.ts"
import { plural } from "../format/numbers.ts"
import { StackedBar } from "../kit/StackedBar.tsx"
import { State } from "../kit/State.tsx"
import { jobParts } from "./jobCounts.tsx"
import styles from "./JobPage.module.css"

const stateOf = (job: JobDetail, wave: number) => {
  if (job.current_wave === null || wave < job.current_wave)
    return { tone: "quiet", icon: "check", word: "Ended" } as const
  if (wave > job.current_wave) return { tone: "idle", icon: "clock", word: `Starts after wave ${wave - 1}` } as const
  return job.state === "running"
    ? ({ tone: "run", icon: "sync", word: "Under way" } as const)
    : ({ tone: "idle", icon: "clock", word: "Next" } as const)
}

export const Waves = (props: { job: JobDetail }): JSX.Element => (
  <Show when={props.job.waves.length > 1}>
    <ul class={`rows ${styles["waves"]}`} aria-label="Waves">
      <For each={props.job.waves}>
        {(hosts, index) => (
          <li>
            <span>
              <b>Wave {index() + 1}</b> <span class="muted">{plural(hosts, "host")}</span>
            </span>
            <StackedBar height={8} parts={jobParts({ counts: props.job.wave_counts[index()] ?? {} })} />
            <State of={stateOf(props.job, index() + 1)} />
          </li>
        )}
      </For>
    </ul>
  </Show>
)
