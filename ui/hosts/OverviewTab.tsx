/** The system, how the last polls went, what the host works on and what came of its last job. */
import { A } from "@solidjs/router"
import { Show, type JSX } from "solid-js"
import type { HostDetail, HostJob } from "#core/Host.ts"
import type { Outcome } from "#core/Order.ts"
import { keys } from "../api/keys.ts"
import { readHostJobs } from "../api/hosts.ts"
import { useData } from "../api/useData.ts"
import { formatSpan } from "../format/time.ts"
import { jobHostStates } from "../format/states.ts"
import { Changes } from "../jobs/Changes.tsx"
import { outcomeWords } from "../jobs/jobWords.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { Icon } from "../kit/Icon.tsx"
import { State } from "../kit/State.tsx"
import { Time } from "../kit/Time.tsx"
import { useHost } from "./HostContext.ts"
import styles from "./OverviewTab.module.css"

const formats = { deb: "deb (apt, dpkg)", rpm: "rpm (dnf, yum)", other: "Not known" } as const

const Unknown = (): JSX.Element => <span class="muted">Not reported</span>

const System = (props: { host: HostDetail }): JSX.Element => (
  <section class="card" aria-labelledby="h-system">
    <header>
      <h2 id="h-system">System</h2>
    </header>
    <dl class={`kv ${styles["kv"]}`}>
      <dt>DNS name</dt>
      <dd>{props.host.fqdn ?? <span class="muted">None given</span>}</dd>
      <dt>Address</dt>
      <dd class="mono">
        {props.host.address}, port {props.host.agent_port}
      </dd>
      <dt>System</dt>
      <dd>{props.host.os === null ? <Unknown /> : `${props.host.os} ${props.host.os_version ?? ""}`}</dd>
      <dt>Kernel</dt>
      <dd class="mono">{props.host.kernel ?? <Unknown />}</dd>
      <dt>Architecture</dt>
      <dd class="mono">{props.host.architecture ?? <Unknown />}</dd>
      <dt>Packages</dt>
      <dd>{formats[props.host.package_format]}</dd>
      <dt>Agent</dt>
      <dd>{props.host.agent_version ?? <Unknown />}</dd>
      <dt>Running for</dt>
      <dd>
        <Show when={props.host.health.uptime_seconds} fallback={<Unknown />}>
          {(seconds) => <>{formatSpan(seconds() * 1000)}</>}
        </Show>
      </dd>
      <dt>Groups</dt>
      <dd>{props.host.groups.map(({ name }) => name).join(", ") || <span class="muted">None</span>}</dd>
      <dt>Registered</dt>
      <dd>
        <Time at={props.host.registered_at} /> by {props.host.registered_by}
      </dd>
    </dl>
  </section>
)

const Polls = (props: { host: HostDetail }): JSX.Element => (
  <section class="card" aria-labelledby="h-polls">
    <header>
      <h2 id="h-polls">Polls</h2>
    </header>
    <dl class={`kv ${styles["kv"]}`}>
      <dt>Last answer</dt>
      <dd>
        <Show when={props.host.health.polled_at} fallback={<span class="muted">Never</span>}>
          {(at) => (
            <>
              <Time at={at()} />, {props.host.health.health ?? "without a verdict"}
            </>
          )}
        </Show>
      </dd>
      <Show when={props.host.health.reason}>
        {(reason) => (
          <>
            <dt>It says</dt>
            <dd>{reason()}</dd>
          </>
        )}
      </Show>
      <dt>Next poll</dt>
      <dd>
        <Show when={props.host.health.next_poll_at} fallback={<span class="muted">Not planned</span>}>
          {(at) => <Time at={at()} />}
        </Show>
      </dd>
      <dt>Updates read</dt>
      <dd>
        <Show when={props.host.patches_read_at} fallback={<span class="muted">Never</span>}>
          {(at) => <Time at={at()} />}
        </Show>
      </dd>
    </dl>
    <Show when={props.host.health.failure_message}>
      {(words) => (
        <div class={styles["failure"]}>
          <span class="st bad">
            <Icon name="failed" />
            Last failed poll
            <Show when={props.host.health.failed_at}>
              {(at) => (
                <span class={styles["when"]}>
                  <Time at={at()} />
                </span>
              )}
            </Show>
          </span>
          <p>{words()}</p>
          <Show when={props.host.health.failure_kind}>{(kind) => <p class="muted sm mono">{kind()}</p>}</Show>
        </div>
      )}
    </Show>
  </section>
)

const Evidence = (props: { job: HostJob; outcome: Outcome }): JSX.Element => (
  <>
    <p class={styles["outcome"]}>
      <State of={jobHostStates[props.job.state]} />
      <span>{outcomeWords(props.outcome)}</span>
    </p>
    <Changes outcome={props.outcome} />
  </>
)

export default function OverviewTab(): JSX.Element {
  const { host } = useHost()
  const jobs = useData(() => ({
    queryKey: [...keys.hostJobs(host().id), "newest"],
    queryFn: ({ signal }) => readHostJobs(host().id, undefined, signal)
  }))
  const last = (): HostJob | undefined => jobs.data?.items.find(({ outcome }) => outcome !== null)
  return (
    <div class={`cols ${styles["cols"]}`}>
      <System host={host()} />
      <div class={styles["side"]}>
        <Polls host={host()} />
        <section class="card" aria-labelledby="h-evidence">
          <header>
            <h2 id="h-evidence">Evidence of the last job</h2>
            <Show when={last()}>{(job) => <A href={`/jobs/${job().job_id}`}>Job #{job().job_number}</A>}</Show>
          </header>
          <DataArea
            query={jobs}
            what="The last job"
            rows={2}
            isEmpty={() => last() === undefined}
            empty={
              <div class="empty">
                <p class="muted">No job has ended on this host yet.</p>
              </div>
            }
          >
            {() => (
              <Show when={last()}>
                {(job) => <Show when={job().outcome}>{(outcome) => <Evidence job={job()} outcome={outcome()} />}</Show>}
              </Show>
            )}
          </DataArea>
        </section>
      </div>
    </div>
  )
}
