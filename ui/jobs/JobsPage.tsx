/** All jobs, newest first, filtered by state in the address. */
import { A, useSearchParams } from "@solidjs/router"
import { For, Show, type JSX } from "solid-js"
import type { JobItem } from "#core/Job.ts"
import type { JobState } from "#core/JobState.ts"
import { keys } from "../api/keys.ts"
import { listJobs } from "../api/jobs.ts"
import { usePages } from "../api/useData.ts"
import { count } from "../format/numbers.ts"
import { formatSpan } from "../format/time.ts"
import { jobStates } from "../format/states.ts"
import { ListCard } from "../kit/ListCard.tsx"
import { Segments } from "../kit/Segments.tsx"
import { now } from "../kit/now.ts"
import { StackedBar } from "../kit/StackedBar.tsx"
import { State } from "../kit/State.tsx"
import { Time } from "../kit/Time.tsx"
import { usePage } from "../kit/usePage.ts"
import { finishedHosts } from "./groupCounts.ts"
import { jobParts } from "./jobCounts.tsx"
import { jobTitle } from "./jobWords.ts"
import styles from "./JobsPage.module.css"

const filters = {
  all: { words: "All", states: undefined },
  running: { words: "Running", states: ["queued", "waiting", "running", "paused"] },
  failed: { words: "Failed", states: ["failed", "partially_failed"] },
  done: { words: "Done", states: ["succeeded"] },
  cancelled: { words: "Cancelled", states: ["cancelled"] }
} as const satisfies Record<string, { words: string; states: ReadonlyArray<JobState> | undefined }>

type Filter = keyof typeof filters
const names = Object.keys(filters) as ReadonlyArray<Filter>

const JobRow = (props: { job: JobItem }): JSX.Element => (
  <tr>
    <td class="num muted">#{props.job.number}</td>
    <td class={styles["title"]}>
      <A href={`/jobs/${props.job.id}`}>{jobTitle(props.job)}</A>
    </td>
    <td>
      <State of={jobStates[props.job.state]} />
    </td>
    <td>
      <StackedBar height={6} parts={jobParts(props.job)} />
    </td>
    <td class="num">
      {count(finishedHosts(props.job))} of {count(props.job.hosts_total)}
    </td>
    <td class={styles["title"]}>{props.job.requested_by}</td>
    <td>
      <Time at={props.job.created_at} />
    </td>
    <td class="num muted">
      {props.job.started_at === null
        ? "–"
        : formatSpan(
            (props.job.finished_at === null ? now() : Date.parse(props.job.finished_at)) -
              Date.parse(props.job.started_at)
          )}
    </td>
  </tr>
)

export default function JobsPage(): JSX.Element {
  const page = usePage(() => "Jobs")
  const [parameters, setParameters] = useSearchParams<{ state?: string }>()
  const filter = (): Filter => names.find((name) => name === parameters.state) ?? "all"
  const jobs = usePages(() => ({
    queryKey: [...keys.jobs, filter()],
    queryFn: ({ pageParam, signal }) =>
      listJobs({ state: filters[filter()].states, cursor: pageParam, limit: 50 }, signal),
    keepPrevious: true
  }))
  return (
    <main class="main" id="main">
      <div class="head">
        <div>
          <h1 ref={page.ref}>Jobs</h1>
          <p class="sub">
            <Show when={jobs.data?.pages[0]} fallback={<>&nbsp;</>}>
              {(first) => (
                <>
                  {count(first().total)} {filter() === "all" ? "in all" : filters[filter()].words.toLowerCase()}
                </>
              )}
            </Show>
          </p>
        </div>
        <Segments
          names={names}
          words={(name) => filters[name].words}
          current={filter()}
          onPick={(name) => setParameters({ state: name === "all" ? undefined : name })}
        />
      </div>
      <ListCard
        what="Jobs"
        query={jobs}
        rows={8}
        more="Show earlier jobs"
        empty={
          <>
            <Show
              when={filter() !== "all"}
              fallback={
                <>
                  <b>No jobs yet</b>
                  <p class="muted">A job installs updates on the hosts you choose. Start one from the hosts.</p>
                  <div class="actions">
                    <A class="btn primary" href="/hosts?pending=any">
                      Choose hosts
                    </A>
                  </div>
                </>
              }
            >
              <b>No job matches</b>
              <p class="muted">No job is {filters[filter()].words.toLowerCase()}.</p>
              <div class="actions">
                <button class="btn" type="button" onClick={() => setParameters({ state: undefined })}>
                  Show all jobs
                </button>
              </div>
            </Show>
          </>
        }
      >
        {(all) => (
          <div class="scrollx" tabIndex={0} role="group" aria-label="Jobs">
            <table class={`tbl ${styles["table"]}`}>
              <thead>
                <tr>
                  <th scope="col" class={`num ${styles["no"]}`}>
                    No.
                  </th>
                  <th scope="col">Job</th>
                  <th scope="col" class={styles["state"]}>
                    State
                  </th>
                  <th scope="col" class={styles["prog"]}>
                    Progress
                  </th>
                  <th scope="col" class={`num ${styles["hosts"]}`}>
                    Hosts
                  </th>
                  <th scope="col" class={styles["by"]}>
                    By
                  </th>
                  <th scope="col" class={styles["at"]}>
                    Created
                  </th>
                  <th scope="col" class={`num ${styles["took"]}`}>
                    Took
                  </th>
                </tr>
              </thead>
              <tbody>
                <For each={all().map(({ id }) => id)}>
                  {(id) => <Show when={all().find((one) => one.id === id)}>{(found) => <JobRow job={found()} />}</Show>}
                </For>
              </tbody>
            </table>
          </div>
        )}
      </ListCard>
    </main>
  )
}
