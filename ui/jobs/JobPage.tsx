/** One job as it moves: one bar, the counts, each host worst first with what came of it, and the agent's log. */
import { useParams } from "@solidjs/router"
import { createMemo, createSignal, lazy, Show, Suspense, type JSX } from "solid-js"
import type { JobDetail } from "#core/Job.ts"
import { ApiError } from "../api/ApiError.ts"
import { readJob, readJobHosts } from "../api/jobs.ts"
import { keys } from "../api/keys.ts"
import { may } from "../api/session.ts"
import { useData, usePages } from "../api/useData.ts"
import { plural } from "../format/numbers.ts"
import { formatSpan } from "../format/time.ts"
import { jobStates } from "../format/states.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { now } from "../kit/now.ts"
import { StackedBar } from "../kit/StackedBar.tsx"
import { State } from "../kit/State.tsx"
import { Time } from "../kit/Time.tsx"
import { usePage } from "../kit/usePage.ts"
import { useCrumb } from "../shell/crumbs.ts"
import { JobCountStates, jobParts } from "./jobCounts.tsx"
import { JobHosts } from "./JobHosts.tsx"
import { JobLog } from "./JobLog.tsx"
import { jobTitle, progressWords, rebootWords, selectionWords } from "./jobWords.ts"
import styles from "./JobPage.module.css"

const CancelDialog = lazy(() => import("./CancelDialog.tsx"))

const Progress = (props: { job: JobDetail }): JSX.Element => (
  <section class="card" aria-labelledby="h-progress">
    <div class={styles["progress"]}>
      <div>
        <h2 class="vh" id="h-progress">
          Progress
        </h2>
        <div class={styles["split"]}>
          <p class={styles["big"]}>{progressWords(props.job)}</p>
          <p class="muted">
            <Show when={props.job.started_at}>
              {(at) => (
                <>
                  {props.job.finished_at === null
                    ? `for ${formatSpan(now() - Date.parse(at()))}`
                    : `took ${formatSpan(Date.parse(props.job.finished_at) - Date.parse(at()))}`}
                </>
              )}
            </Show>
          </p>
        </div>
        <div class={styles["bar"]}>
          <StackedBar height={16} parts={jobParts(props.job)} />
        </div>
        <div class={styles["stats"]}>
          <JobCountStates job={props.job} />
        </div>
      </div>
      <dl class={`kv ${styles["kv"]}`}>
        <dt>Updates</dt>
        <dd>{selectionWords(props.job)}</dd>
        <dt>Restart</dt>
        <dd>{rebootWords(props.job)}</dd>
        <dt>At once</dt>
        <dd>At most {plural(props.job.max_concurrency, "host")}</dd>
        <dt>Busy hosts</dt>
        <dd>{props.job.on_busy === "queue" ? "Waited for" : "Refused"}</dd>
      </dl>
    </div>
  </section>
)

export default function JobPage(): JSX.Element {
  const parameters = useParams<{ id: string }>()
  const job = useData(() => ({
    queryKey: keys.job(parameters.id),
    queryFn: ({ signal }) => readJob(parameters.id, signal),
    refetchInterval: (now) => (now?.finished_at === null ? 15_000 : false)
  }))
  const hosts = usePages(() => ({
    queryKey: keys.jobHosts(parameters.id),
    queryFn: ({ pageParam, signal }) => readJobHosts(parameters.id, pageParam, signal)
  }))
  const all = createMemo(() => (hosts.data?.pages ?? []).flatMap(({ items }) => items))
  const page = usePage(() => (job.data === undefined ? "Job" : `Job #${job.data.number}`))
  useCrumb(() => (job.data === undefined ? "Job" : `#${job.data.number}`))
  const [cancelling, setCancelling] = createSignal(false)
  const [chosen, setChosen] = createSignal<string | null>(null)
  const logged = createMemo(() => {
    const wanted = chosen()
    return all().find(({ order_id }) => order_id === wanted) ?? all().find(({ log }) => log.length > 0) ?? all()[0]
  })
  const gone = (): boolean => job.error instanceof ApiError && job.error.status === 404
  return (
    <main class="main" id="main">
      <div class="head">
        <div>
          <h1 ref={page.ref}>
            <Show when={job.data} fallback={gone() ? "This job is not here" : "Job"}>
              {(now) => (
                <>
                  {jobTitle(now())} <span class={`muted ${styles["no"]}`}>#{now().number}</span>
                </>
              )}
            </Show>
          </h1>
          <Show when={job.data}>
            {(now) => (
              <p class="idline">
                <State of={jobStates[now().state]} />
                <span>{selectionWords(now())}</span>
                <span>
                  {now().started_at === null ? "Created " : "Started "}
                  <Time at={now().started_at ?? now().created_at} /> by {now().requested_by}
                </span>
                <Show when={now().finished_at}>
                  {(at) => (
                    <span>
                      Ended <Time at={at()} />
                    </span>
                  )}
                </Show>
              </p>
            )}
          </Show>
        </div>
        <div class="actions">
          <Show when={may("jobs:cancel") && job.data?.finished_at === null}>
            <button class="btn danger" type="button" onClick={() => setCancelling(true)}>
              Cancel job…
            </button>
          </Show>
        </div>
      </div>
      <DataArea query={job} what="The job" rows={3}>
        {(now) => <Progress job={now()} />}
      </DataArea>
      <div class={`cols ${styles["below"]}`}>
        <section class={`card ${styles["hosts"]}`} aria-labelledby="h-hosts">
          <header>
            <h2 id="h-hosts">Hosts</h2>
            <span class="muted sm">worst first</span>
          </header>
          <DataArea query={hosts} what="The job's hosts" rows={5}>
            {() => <JobHosts hosts={all()} chosen={logged()?.order_id ?? null} onChoose={setChosen} />}
          </DataArea>
          <Show when={hosts.hasNextPage}>
            <div class={styles["foot"]}>
              <button
                class="btn quiet s"
                type="button"
                disabled={hosts.isFetching}
                onClick={() => void hosts.fetchNextPage()}
              >
                Show more hosts
              </button>
            </div>
          </Show>
        </section>
        <JobLog host={logged()} />
      </div>
      <Suspense>
        <Show when={cancelling() && job.data}>
          {(now) => <CancelDialog job={now()} onClose={() => setCancelling(false)} />}
        </Show>
      </Suspense>
    </main>
  )
}
