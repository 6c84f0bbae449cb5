/** One job as it moves: one bar, the counts, each host worst first with what came of it, and the agent's log. */
import { A, useParams } from "@solidjs/router"
import {
  createEffect,
  createMemo,
  createSignal,
  lazy,
  Match,
  onCleanup,
  Show,
  Suspense,
  Switch,
  type JSX
} from "solid-js"
import type { JobDetail } from "#core/Job.ts"
import { ApiError } from "../api/ApiError.ts"
import { pauseJob, readJob, readJobHosts, resumeJob } from "../api/jobs.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { may } from "../api/session.ts"
import { useData, usePages } from "../api/useData.ts"
import { plural } from "../format/numbers.ts"
import { formatSpan } from "../format/time.ts"
import { jobStates } from "../format/states.ts"
import { jobsSocket } from "../live/live.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { Icon } from "../kit/Icon.tsx"
import { now } from "../kit/now.ts"
import { StackedBar } from "../kit/StackedBar.tsx"
import { State } from "../kit/State.tsx"
import { Time } from "../kit/Time.tsx"
import { say, sayFailed } from "../kit/toasts.ts"
import { usePage } from "../kit/usePage.ts"
import { useCrumb } from "../shell/crumbs.ts"
import { preferences } from "../shell/preferences.ts"
import { JobCountStates, jobParts } from "./jobCounts.tsx"
import { JobHosts } from "./JobHosts.tsx"
import { JobLog } from "./JobLog.tsx"
import { jobTitle, progressWords, rebootWords, selectionWords, whenWords } from "./jobWords.ts"
import { retryable } from "./retryable.ts"
import { Waves } from "./Waves.tsx"
import styles from "./JobPage.module.css"

const CancelDialog = lazy(() => import("./CancelDialog.tsx"))
const RetryDialog = lazy(() => import("./RetryDialog.tsx"))
const RollbackDialog = lazy(() => import("./RollbackDialog.tsx"))

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
        <dt>Start</dt>
        <dd>{whenWords(props.job, preferences.zone)}</dd>
        <dt>Error limit</dt>
        <dd>
          {props.job.max_failed === null
            ? "None"
            : `No more starts when more than ${plural(props.job.max_failed, "host")} failed`}
        </dd>
        <Show when={props.job.parent_job_id}>
          {(id) => (
            <>
              <dt>{props.job.kind === "rollback" ? "Undoes" : "Tries again"}</dt>
              <dd>
                <A href={`/jobs/${id()}`}>The job before</A>
              </dd>
            </>
          )}
        </Show>
      </dl>
    </div>
    <Waves job={props.job} />
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
  createEffect(() => jobsSocket.follow({ job_id: parameters.id as JobDetail["id"] }))
  onCleanup(() => {
    jobsSocket.follow({})
    // What happened to the other jobs was not told meanwhile.
    void queryClient.invalidateQueries({ queryKey: keys.jobs })
    void queryClient.invalidateQueries({ queryKey: keys.fleet })
  })
  const all = createMemo(() => (hosts.data?.pages ?? []).flatMap(({ items }) => items))
  const page = usePage(() => (job.data === undefined ? "Job" : `Job #${job.data.number}`))
  useCrumb(() => (job.data === undefined ? "Job" : `#${job.data.number}`))
  const [open, setOpen] = createSignal<"cancel" | "retry" | "rollback" | null>(null)
  const pauseOrResume = async (now: JobDetail): Promise<void> => {
    try {
      await (now.paused_by === null ? pauseJob(now.id) : resumeJob(now.id))
      say(now.paused_by === null ? "No more hosts are started" : "Hosts are started again")
      void queryClient.invalidateQueries({ queryKey: keys.job(now.id) })
    } catch (cause) {
      sayFailed("The job was not changed", cause)
    }
  }
  const [chosen, setChosen] = createSignal<string | null>(null)
  const logged = createMemo(() => {
    const wanted = chosen()
    return all().find(({ order_id }) => order_id === wanted) ?? all().find(({ log }) => log.length > 0) ?? all()[0]
  })
  const gone = (): boolean => job.error instanceof ApiError && job.error.status === 404
  return (
    <main class="main" id="main">
      <div class={`head ${styles["head"]}`}>
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
          <Show when={may("jobs:change") && job.data?.finished_at === null && job.data}>
            {(now) => (
              <button class="btn" type="button" onClick={() => void pauseOrResume(now())}>
                {now().paused_by === null ? "Pause starts" : "Resume"}
              </button>
            )}
          </Show>
          <Show when={may("jobs:create") && job.data !== undefined && job.data.finished_at !== null && job.data}>
            {(now) => (
              <>
                <Show when={retryable(now()) > 0}>
                  <button class="btn" type="button" onClick={() => setOpen("retry")}>
                    Try again…
                  </button>
                </Show>
                <Show when={now().kind !== "reboot" && now().kind !== "rollback"}>
                  <button class="btn" type="button" onClick={() => setOpen("rollback")}>
                    <Icon name="undo" />
                    Roll back…
                  </button>
                </Show>
              </>
            )}
          </Show>
          <Show when={may("jobs:cancel") && job.data?.finished_at === null}>
            <button class="btn danger" type="button" onClick={() => setOpen("cancel")}>
              Cancel job…
            </button>
          </Show>
        </div>
      </div>
      <Show when={job.data?.stopped_reason}>
        {(why) => (
          <div class="banner" role="status">
            <Icon name="warning" />
            <p>No more hosts are started: {why()}</p>
          </div>
        )}
      </Show>
      <Show when={job.data?.finished_at === null && job.data.paused_by}>
        {(by) => (
          <div class="banner" role="status">
            <Icon name="info" />
            <p>Paused by {by()}: what was started runs to its end, and nothing more is started.</p>
          </div>
        )}
      </Show>
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
        <Show when={open() !== null && job.data}>
          {(now) => (
            <Switch>
              <Match when={open() === "cancel"}>
                <CancelDialog job={now()} onClose={() => setOpen(null)} />
              </Match>
              <Match when={open() === "retry"}>
                <RetryDialog job={now()} onClose={() => setOpen(null)} />
              </Match>
              <Match when={open() === "rollback"}>
                <RollbackDialog job={now()} onClose={() => setOpen(null)} />
              </Match>
            </Switch>
          )}
        </Show>
      </Suspense>
    </main>
  )
}
