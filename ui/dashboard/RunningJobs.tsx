/** Jobs that run or wait, each with its own bar. */
import { A } from "@solidjs/router"
import { For, type JSX } from "solid-js"
import { keys } from "../api/keys.ts"
import { listJobs } from "../api/jobs.ts"
import { useData } from "../api/useData.ts"
import { jobTitle } from "../jobs/jobWords.ts"
import { finishedHosts } from "../jobs/groupCounts.ts"
import { JobCountStates, jobParts } from "../jobs/jobCounts.tsx"
import { count } from "../format/numbers.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { StackedBar } from "../kit/StackedBar.tsx"
import { Time } from "../kit/Time.tsx"
import styles from "./RunningJobs.module.css"

const SHOWN = 5

export const RunningJobs = (): JSX.Element => {
  const jobs = useData(() => ({
    queryKey: [...keys.fleet, "running-jobs"],
    queryFn: ({ signal }) => listJobs({ state: ["running", "paused", "waiting", "queued"], limit: SHOWN }, signal)
  }))
  return (
    <section class="card" aria-labelledby="h-running">
      <header>
        <h2 id="h-running">Running now</h2>
        <A href="/jobs">All jobs</A>
      </header>
      <DataArea
        query={jobs}
        what="Running jobs"
        rows={2}
        isEmpty={(page) => page.items.length === 0}
        empty={
          <div class="empty">
            <p class="muted">No job is running or waiting.</p>
          </div>
        }
      >
        {(page) => (
          <ul class={styles["list"]}>
            <For each={page().items}>
              {(job) => (
                <li>
                  <div class={styles["title"]}>
                    <A class="strong trunc" href={`/jobs/${job.id}`}>
                      {jobTitle(job)}
                    </A>
                    <span class="muted sm nowrap">#{job.number}</span>
                  </div>
                  <p class={`muted sm ${styles["by"]}`}>
                    {job.started_at === null ? "Created " : "Started "}
                    <Time at={job.started_at ?? job.created_at} /> by {job.requested_by}
                  </p>
                  <StackedBar height={12} parts={jobParts(job)} />
                  <div class={styles["stats"]}>
                    <span class="strong">
                      {count(finishedHosts(job))} of {count(job.hosts_total)} hosts
                    </span>
                    <JobCountStates job={job} />
                  </div>
                </li>
              )}
            </For>
          </ul>
        )}
      </DataArea>
    </section>
  )
}
