/** How the log is guarded: its newest checkpoint, whether that is out of the database's reach, and the last verification. */
import { createSignal, For, Show, type JSX } from "solid-js"
import type { AuditStatus, Verification } from "#core/audit/Verification.ts"
import { cancelVerification, readAuditStatus, startVerification } from "../api/audit.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { may } from "../api/session.ts"
import { useData } from "../api/useData.ts"
import { count, plural } from "../format/numbers.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { Icon } from "../kit/Icon.tsx"
import { problemWords } from "../kit/problemWords.ts"
import { State } from "../kit/State.tsx"
import { Time } from "../kit/Time.tsx"
import { verificationStates } from "./auditWords.ts"
import styles from "./Audit.module.css"

const isOpen = (run: Verification | null | undefined): boolean => run?.state === "queued" || run?.state === "running"

const Progress = (props: { run: Verification }): JSX.Element => (
  <div class={styles["progress"]}>
    <progress
      aria-label="Rows verified"
      max={Math.max(1, props.run.rows_total)}
      value={Math.min(props.run.rows_done, Math.max(1, props.run.rows_total))}
    />
    <span class="muted">
      {count(props.run.rows_done)} of {count(props.run.rows_total)} rows
    </span>
  </div>
)

const Result = (props: { run: Verification }): JSX.Element => (
  <>
    <Show when={props.run.findings.length > 0}>
      <ul class={styles["findings"]}>
        <For each={props.run.findings}>
          {(finding) => (
            <li>
              <Icon name="failed" />
              {finding.message}
            </li>
          )}
        </For>
      </ul>
      <p class="hint">
        Keep the database and the checkpoint file as they are. docs/runbooks/audit-finding.md says what to do.
      </p>
    </Show>
    <For each={props.run.notices}>{(notice) => <p class="hint">{notice}</p>}</For>
  </>
)

const Facts = (props: { status: AuditStatus }): JSX.Element => (
  <dl class={`kv ${styles["facts"]}`}>
    <dt>Rows</dt>
    <dd>
      {count(props.status.head.seq)}
      <Show when={props.status.pruned_to_seq > 0}>
        <span class="muted">, the first {count(props.status.pruned_to_seq)} pruned</span>
      </Show>
    </dd>
    <dt>Checkpoint</dt>
    <dd>
      <Show when={props.status.last_checkpoint} fallback={<span class="muted">None yet</span>}>
        {(point) => (
          <>
            Row {count(point().size)}, <Time at={point().signed_at} as="ago" />
          </>
        )}
      </Show>
    </dd>
    <dt>Outside</dt>
    <dd>
      <State
        of={
          props.status.outside.independent
            ? { tone: "ok", icon: "shield", word: "Independent" }
            : { tone: "warn", icon: "warning", word: "Not independent" }
        }
      />
      <span class={`hint ${styles["why"]}`}>{props.status.outside.reason}</span>
    </dd>
    <Show when={props.status.outside.file}>
      {(file) => (
        <>
          <dt>File</dt>
          <dd class={`mono ${styles["path"]}`}>{file()}</dd>
        </>
      )}
    </Show>
    <Show when={props.status.outside.syslog_target}>
      {(target) => (
        <>
          <dt>Log server</dt>
          <dd>
            <span class="mono">{target()}</span>{" "}
            <Show when={props.status.outside.syslog_failure}>{(failure) => <span class="bad">{failure()}</span>}</Show>
          </dd>
        </>
      )}
    </Show>
  </dl>
)

export const ChainCard = (): JSX.Element => {
  const [fault, setFault] = createSignal<string | null>(null)
  const status = useData(() => ({
    queryKey: keys.auditStatus,
    queryFn: ({ signal }) => readAuditStatus(signal),
    refetchInterval: (data) => (isOpen(data?.last_verification) ? 1000 : 30_000)
  }))
  const run = (): Verification | null => status.data?.last_verification ?? null
  const act = async (what: () => Promise<unknown>): Promise<void> => {
    setFault(null)
    await what().catch((cause: unknown) => setFault(problemWords(cause)))
    await queryClient.invalidateQueries({ queryKey: keys.auditStatus })
  }
  return (
    <section class="card" aria-labelledby="audit-chain">
      <header class="ruled">
        <h2 id="audit-chain">Chain</h2>
        <Show when={may("audit:verify")}>
          <Show
            when={isOpen(run()) && run()}
            fallback={
              <button
                class="btn s"
                type="button"
                onClick={() => void act(() => startVerification(crypto.randomUUID()))}
              >
                <Icon name="shield" />
                Verify now
              </button>
            }
          >
            {(open) => (
              <button
                class="btn s"
                type="button"
                disabled={open().cancel_requested}
                onClick={() => void act(() => cancelVerification(open().id))}
              >
                Cancel verification
              </button>
            )}
          </Show>
        </Show>
      </header>
      <div class={styles["chain"]}>
        <DataArea query={status} what="The state of the log" rows={4}>
          {(data) => (
            <>
              <Facts status={data()} />
              <div class={styles["run"]} aria-live="polite">
                <Show when={run()} fallback={<p class="muted">The log was not verified yet.</p>}>
                  {(last) => (
                    <>
                      <p>
                        <State of={verificationStates[last().state]} />{" "}
                        <span class="muted">
                          <Show when={last().finished_at} fallback={<>asked for by {last().requested_by}</>}>
                            {(at) => (
                              <>
                                <Time at={at()} as="ago" />, {plural(last().rows_done, "row")} and{" "}
                                {plural(last().checkpoints_checked, "checkpoint")}, asked for by {last().requested_by}
                              </>
                            )}
                          </Show>
                        </span>
                      </p>
                      <Show when={isOpen(last())}>
                        <Progress run={last()} />
                      </Show>
                      <Result run={last()} />
                    </>
                  )}
                </Show>
              </div>
            </>
          )}
        </DataArea>
        <Show when={fault()}>
          {(words) => (
            <p class="fault" role="alert">
              {words()}
            </p>
          )}
        </Show>
      </div>
    </section>
  )
}
