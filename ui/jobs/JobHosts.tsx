/** Each host's share of the job, with the versions found afterwards under those that ended. */
import { A } from "@solidjs/router"
import { createSignal, For, Show, type JSX } from "solid-js"
import type { JobHost } from "#core/Job.ts"
import { formatSpan } from "../format/time.ts"
import { jobHostStates, undoStates } from "../format/states.ts"
import { Icon } from "../kit/Icon.tsx"
import { now } from "../kit/now.ts"
import { State } from "../kit/State.tsx"
import { Changes } from "./Changes.tsx"
import { waitWords } from "../format/waitWords.ts"
import { preferences } from "../shell/preferences.ts"
import { splitName } from "../hosts/splitName.ts"
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
    if (started_at === null)
      return props.host.waits_for === null ? "Not started" : waitWords(props.host.waits_for, preferences.zone)
    const span = formatSpan(now() - Date.parse(started_at))
    return state === "running" ? `${progress_percent} %, ${span}` : span
  }
  return (
    <span class="muted tn" title={words()}>
      {words()}
    </span>
  )
}

/** What the run changed besides what was asked for, and whether it can be undone as was said beforehand. */
const Beside = (props: { host: JobHost }): JSX.Element => {
  const others = (): ReadonlyArray<string> => {
    const asked = new Set(props.host.outcome?.changes.map(({ name }) => name))
    return (props.host.effects ?? []).flatMap(({ from, name, to }) =>
      asked.has(name) ? [] : [`${name} ${from ?? "not installed"} → ${to ?? "removed"}`]
    )
  }
  return (
    <>
      <Show when={others().length > 0}>
        <p class="muted sm">Also changed: {others().join(", ")}.</p>
      </Show>
      <Show when={props.host.foretold?.undo}>
        {(undo) => (
          <p class="muted sm">
            Said beforehand: can be undone: {undoStates[undo().answer].word.toLowerCase()}. {undo().because}
          </p>
        )}
      </Show>
    </>
  )
}

export const JobHosts = (props: {
  hosts: ReadonlyArray<JobHost>
  /** Whose log is shown. */
  chosen: string | null
  onChoose: (order_id: string) => void
}): JSX.Element => {
  const [open, setOpen] = createSignal<ReadonlySet<string>>(new Set())
  /** A single host needs no click to show its evidence. */
  const isOpen = (id: string): boolean => open().has(id) !== (props.hosts.length === 1)
  const toggle = (id: string): void => {
    const next = new Set(open())
    if (!next.delete(id)) next.add(id)
    setOpen(next)
    props.onChoose(id)
  }
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
          <th scope="col" class={styles["more"]}>
            <span class="vh">Evidence and log</span>
          </th>
        </tr>
      </thead>
      <tbody>
        <For each={ids()}>
          {(id) => (
            <Show when={find(id)}>
              {(host) => (
                <>
                  <tr classList={{ [styles["chosen"] ?? ""]: props.chosen === id }}>
                    <td class={styles["host"]}>
                      <A href={`/hosts/${host().host_id}`} title={host().host_name}>
                        {splitName(host().host_name)[0]}
                        <span class={styles["domain"]}>{splitName(host().host_name)[1]}</span>
                      </A>
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
                    <td class={styles["more"]}>
                      <button
                        class="btn quiet s"
                        type="button"
                        aria-expanded={isOpen(id)}
                        aria-label={`Show evidence and log of ${host().host_name}`}
                        onClick={() => toggle(id)}
                      >
                        Show
                        <Icon name="down" class={`i14 ${isOpen(id) ? (styles["up"] ?? "") : ""}`} />
                      </button>
                    </td>
                  </tr>
                  <Show when={isOpen(id)}>
                    <tr class={styles["below"]}>
                      <td colSpan={5}>
                        <Show
                          when={host().outcome}
                          fallback={
                            <p class="muted">Not ended yet. What is found on the host afterwards stands here.</p>
                          }
                        >
                          {(outcome) => (
                            <>
                              <p>{outcomeWords(outcome())}</p>
                              <Changes outcome={outcome()} />
                              <Beside host={host()} />
                            </>
                          )}
                        </Show>
                      </td>
                    </tr>
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
