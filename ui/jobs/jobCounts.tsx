/** A job's counts as parts of a bar and as words beside it. */
import { For, type JSX } from "solid-js"
import type { JobItem } from "#core/Job.ts"
import { count } from "../format/numbers.ts"
import type { Shown } from "../format/states.ts"
import type { Part } from "../kit/placeParts.ts"
import { State } from "../kit/State.tsx"
import { groupCounts, type Grouped } from "./groupCounts.ts"

const shown: ReadonlyArray<readonly [keyof Grouped, Part["fill"], Shown]> = [
  ["done", "ok", { tone: "ok", icon: "check", word: "done" }],
  ["failed", "bad", { tone: "bad", icon: "failed", word: "failed" }],
  ["uncertain", "warn", { tone: "warn", icon: "unknown", word: "uncertain" }],
  ["running", "run", { tone: "run", icon: "sync", word: "running" }],
  ["left", "idle", { tone: "idle", icon: "minus", word: "left out" }],
  ["waiting", "rest", { tone: "idle", icon: "clock", word: "waiting" }]
]

export const jobParts = (job: Pick<JobItem, "counts">): ReadonlyArray<Part> => {
  const grouped = groupCounts(job.counts)
  return shown.map(([group, fill, { word }]) => ({ value: grouped[group], fill, word }))
}

export const JobCountStates = (props: { job: Pick<JobItem, "counts"> }): JSX.Element => {
  const present = () => {
    const grouped = groupCounts(props.job.counts)
    return shown.filter(([group]) => grouped[group] > 0).map(([group, , of]) => ({ of, hosts: grouped[group] }))
  }
  return <For each={present()}>{({ of, hosts }) => <State of={of} word={`${count(hosts)} ${of.word}`} />}</For>
}
