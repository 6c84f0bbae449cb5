/** All jobs, newest first, filtered by state in the address. */
import { A, useSearchParams } from "@solidjs/router"
import { keepPreviousData, useInfiniteQuery } from "@tanstack/solid-query"
import { createMemo, For, Show, type JSX } from "solid-js"
import type { JobState } from "#core/JobState.ts"
import { keys } from "../api/keys.ts"
import { listJobs } from "../api/jobs.ts"
import { count } from "../format/numbers.ts"
import { formatSpan } from "../format/time.ts"
import { jobStates } from "../format/states.ts"
import { DataArea } from "../kit/DataArea.tsx"
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

export default function JobsPage(): JSX.Element {
  const page = usePage(() => "Jobs")
  const [parameters, setParameters] = useSearchParams<{ state?: string }>()
  const filter = (): Filter => names.find((name) => name === parameters.state) ?? "all"
  const jobs = useInfiniteQuery(() => ({
    queryKey: [...keys.jobs, filter()],
    queryFn: ({ pageParam, signal }) =>
      listJobs({ state: filters[filter()].states, cursor: pageParam, limit: 50 }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData
  }))
  const all = createMemo(() => (jobs.data?.pages ?? []).flatMap(({ items }) => items))
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
        <span class="seggroup" role="group" aria-label="Show">
          <For each={names}>
            {(name) => (
              <button
                type="button"
                aria-pressed={filter() === name}
                onClick={() => setParameters({ state: name === "all" ? undefined : name })}
              >
                {filters[name].words}
              </button>
            )}
          </For>
        </span>
      </div>
      <section class="card" aria-label="Jobs">
        <DataArea
          query={jobs}
          what="Jobs"
          rows={8}
          isEmpty={() => all().length === 0}
          empty={
            <div class={`empty ${styles["empty"]}`}>
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
            </div>
          }
        >
          {() => (
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
                  <For each={all()}>
                    {(job) => (
                      <tr>
                        <td class="num muted">#{job.number}</td>
                        <td class={styles["title"]}>
                          <A href={`/jobs/${job.id}`}>{jobTitle(job)}</A>
                        </td>
                        <td>
                          <State of={jobStates[job.state]} />
                        </td>
                        <td>
                          <StackedBar height={6} parts={jobParts(job)} />
                        </td>
                        <td class="num">
                          {count(finishedHosts(job))} of {count(job.hosts_total)}
                        </td>
                        <td class={styles["title"]}>{job.requested_by}</td>
                        <td>
                          <Time at={job.created_at} />
                        </td>
                        <td class="num muted">
                          {job.started_at === null
                            ? "–"
                            : formatSpan(
                                (job.finished_at === null ? now() : Date.parse(job.finished_at)) -
                                  Date.parse(job.started_at)
                              )}
                        </td>
                      </tr>
                    )}
                  </For>
                </tbody>
              </table>
            </div>
          )}
        </DataArea>
        <Show when={jobs.hasNextPage}>
          <div class={styles["foot"]}>
            <button
              class="btn quiet s"
              type="button"
              disabled={jobs.isFetching}
              onClick={() => void jobs.fetchNextPage()}
            >
              Show earlier jobs
            </button>
          </div>
        </Show>
      </section>
    </main>
  )
}
