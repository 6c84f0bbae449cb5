/** The host's share of jobs, newest first. */
import { A } from "@solidjs/router"
import { createMemo, For, Show, type JSX } from "solid-js"
import { keys } from "../api/keys.ts"
import { readHostJobs } from "../api/hosts.ts"
import { usePages } from "../api/useData.ts"
import { formatSpan } from "../format/time.ts"
import { jobHostStates } from "../format/states.ts"
import { outcomeWords } from "../jobs/jobWords.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { State } from "../kit/State.tsx"
import { Time } from "../kit/Time.tsx"
import { useHost } from "./HostContext.ts"
import styles from "./HostJobsTab.module.css"

export default function HostJobsTab(): JSX.Element {
  const { host } = useHost()
  const jobs = usePages(() => ({
    queryKey: keys.hostJobs(host().id),
    queryFn: ({ pageParam, signal }) => readHostJobs(host().id, pageParam, signal)
  }))
  const all = createMemo(() => (jobs.data?.pages ?? []).flatMap(({ items }) => items))
  return (
    <section class="card" aria-labelledby="h-jobs">
      <header>
        <h2 id="h-jobs">Jobs on this host</h2>
        <span class="muted sm">newest first</span>
      </header>
      <DataArea
        query={jobs}
        what="The jobs"
        rows={4}
        isEmpty={() => all().length === 0}
        empty={
          <div class="empty">
            <p class="muted">No job has asked anything of this host yet.</p>
          </div>
        }
      >
        {() => (
          <div class="scrollx" tabIndex={0} role="group" aria-label="Jobs">
            <table class={`tbl ${styles["table"]}`}>
              <thead>
                <tr>
                  <th scope="col" class={styles["job"]}>
                    Job
                  </th>
                  <th scope="col" class={styles["state"]}>
                    State
                  </th>
                  <th scope="col">Outcome</th>
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
                      <td>
                        <A href={`/jobs/${job.job_id}`}>
                          #{job.job_number} {job.kind === "reboot" ? "Restart" : "Patch"}
                        </A>
                      </td>
                      <td>
                        <State of={jobHostStates[job.state]} />
                      </td>
                      <td class="muted" title={job.outcome === null ? "" : outcomeWords(job.outcome)}>
                        {job.outcome === null ? "–" : outcomeWords(job.outcome)}
                      </td>
                      <td>{job.requested_by}</td>
                      <td>
                        <Time at={job.created_at} />
                      </td>
                      <td class="num">
                        {job.started_at !== null && job.finished_at !== null
                          ? formatSpan(Date.parse(job.finished_at) - Date.parse(job.started_at))
                          : "–"}
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
            Show earlier
          </button>
        </div>
      </Show>
    </section>
  )
}
