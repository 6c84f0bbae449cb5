/** Each host's share of the job, with the versions found afterwards under those that ended. */
import { A } from "@solidjs/router"
import { createSignal, For, Show, type JSX } from "solid-js"
import type { JobHost } from "#core/Job.ts"
import { plural } from "../format/numbers.ts"
import { formatSpan } from "../format/time.ts"
import { jobHostStates } from "../format/states.ts"
import { Icon } from "../kit/Icon.tsx"
import { now } from "../kit/now.ts"
import { State } from "../kit/State.tsx"
import { Changes } from "./Changes.tsx"
import { outcomeWords } from "./jobWords.ts"
import styles from "./JobHosts.module.css"

const restartWords = (host: JobHost): string => {
  if (host.outcome === null) return "–"
  if (host.outcome.rebooted) return "Done"
  return host.outcome.reboot_pending ? "Still owed" : "No"
}

const Detail = (props: { host: JobHost }): JSX.Element => {
  const words = (): string => {
    const { outcome, started_at, progress_percent, state } = props.host
    if (outcome !== null) return outcomeWords(outcome)
    if (started_at === null) return "Not started"
    const span = formatSpan(now() - Date.parse(started_at))
    return state === "running" ? `${progress_percent} %, ${span}` : span
  }
  return (
    <span class="muted" title={words()}>
      {words()}
    </span>
  )
}

export const JobHosts = (props: {
  hosts: ReadonlyArray<JobHost>
  /** Whose log is shown. */
  chosen: string | null
  onChoose: (order_id: string) => void
}): JSX.Element => {
  const [open, setOpen] = createSignal<ReadonlySet<string>>(new Set())
  const toggle = (id: string): void => {
    const next = new Set(open())
    if (!next.delete(id)) next.add(id)
    setOpen(next)
  }
  /** A single host needs no second click to show its evidence. */
  const isOpen = (host: JobHost): boolean => open().has(host.order_id) !== (props.hosts.length === 1)
  const ids = () => props.hosts.map(({ order_id }) => order_id as string)
  const find = (id: string) => props.hosts.find(({ order_id }) => order_id === id)
  return (
    <table class={`tbl ${styles["table"]}`}>
      <thead>
        <tr>
          <th scope="col" class={styles["host"]}>
            Host
          </th>
          <th scope="col" class={styles["state"]}>
            State
          </th>
          <th scope="col">Detail</th>
          <th scope="col" class={styles["restart"]}>
            Restart
          </th>
          <th scope="col" class={styles["versions"]}>
            <span class="vh">Versions</span>
          </th>
          <th scope="col" class={styles["log"]}>
            Log
          </th>
        </tr>
      </thead>
      <tbody>
        <For each={ids()}>
          {(id) => (
            <Show when={find(id)}>
              {(host) => (
                <>
                  <tr aria-selected={props.chosen === id} classList={{ [styles["chosen"] ?? ""]: props.chosen === id }}>
                    <td class={styles["host"]}>
                      <A href={`/hosts/${host().host_id}`}>{host().host_name}</A>
                    </td>
                    <td class={styles["state"]}>
                      <State of={jobHostStates[host().state]} />
                    </td>
                    <td class={styles["detail"]}>
                      <Detail host={host()} />
                    </td>
                    <td class={styles["restart"]}>
                      <span class="muted">{restartWords(host())}</span>
                    </td>
                    <td class={styles["versions"]}>
                      <Show when={(host().outcome?.changes.length ?? 0) > 0}>
                        <button
                          class="btn quiet s"
                          type="button"
                          aria-expanded={isOpen(host())}
                          onClick={() => toggle(id)}
                        >
                          {plural(host().outcome?.changes.length ?? 0, "package")}
                          <Icon name="down" class="i14" />
                        </button>
                      </Show>
                    </td>
                    <td class={styles["log"]}>
                      <button
                        class="btn quiet s"
                        type="button"
                        aria-pressed={props.chosen === id}
                        aria-label={`Log of ${host().host_name}`}
                        onClick={() => props.onChoose(id)}
                      >
                        Log
                      </button>
                    </td>
                  </tr>
                  <Show when={isOpen(host()) && host().outcome}>
                    {(outcome) => (
                      <Show when={outcome().changes.length > 0}>
                        <tr class={styles["below"]}>
                          <td colSpan={6}>
                            <Changes outcome={outcome()} />
                          </td>
                        </tr>
                      </Show>
                    )}
                  </Show>
                </>
              )}
            </Show>
          )}
        </For>
      </tbody>
    </table>
  )
}
