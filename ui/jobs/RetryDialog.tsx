/** A new job like this one for the hosts that did not make it. */
import { useNavigate } from "@solidjs/router"
import { createMemo, createSignal, For, untrack, type JSX } from "solid-js"
import type { JobDetail } from "#core/Job.ts"
import { retryJob } from "../api/jobs.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { plural } from "../format/numbers.ts"
import { Dialog } from "../kit/Dialog.tsx"
import { sayFailed } from "../kit/toasts.ts"
import { retryStates, retryWords, type RetryState } from "./retryable.ts"

export default function RetryDialog(props: { job: JobDetail; onClose: () => void }): JSX.Element {
  const navigate = useNavigate()
  const present = (): ReadonlyArray<RetryState> => retryStates.filter((state) => (props.job.counts[state] ?? 0) > 0)
  const [chosen, setChosen] = createSignal<ReadonlySet<RetryState>>(
    untrack(() => {
      const all = present()
      return new Set(all.length === 1 ? all : all.filter((state) => state !== "cancelled"))
    })
  )
  const [when, setWhen] = createSignal<"next_window" | "immediate">("next_window")
  const [busy, setBusy] = createSignal(false)
  const key = crypto.randomUUID()
  const hosts = createMemo(() => {
    const { counts } = props.job
    let sum = 0
    for (const state of chosen()) sum += counts[state] ?? 0
    return sum
  })
  const toggle = (state: RetryState): void => {
    const next = new Set(chosen())
    if (!next.delete(state)) next.add(state)
    setChosen(next)
  }
  const submit = async (): Promise<void> => {
    setBusy(true)
    try {
      const made = await retryJob(props.job.id, { states: [...chosen()], when: { kind: when() } }, key)
      void queryClient.invalidateQueries({ queryKey: keys.jobs })
      props.onClose()
      navigate(`/jobs/${made.id}`)
    } catch (cause) {
      sayFailed("No new job was made", cause)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog open onClose={() => props.onClose()} title={`Try job #${props.job.number} again`}>
      <div class="form">
        <fieldset class="field">
          <legend class="lab">Hosts that</legend>
          <For each={present()}>
            {(state) => (
              <label>
                <input class="ck" type="checkbox" checked={chosen().has(state)} onChange={() => toggle(state)} />{" "}
                {retryWords[state]}: {plural(props.job.counts[state] ?? 0, "host")}
              </label>
            )}
          </For>
        </fieldset>
        <fieldset class="field">
          <legend class="lab">When</legend>
          <label>
            <input
              class="rd"
              type="radio"
              name="retry-when"
              checked={when() === "next_window"}
              onChange={() => setWhen("next_window")}
            />{" "}
            In the next window
          </label>
          <label>
            <input
              class="rd"
              type="radio"
              name="retry-when"
              checked={when() === "immediate"}
              onChange={() => setWhen("immediate")}
            />{" "}
            Now
          </label>
        </fieldset>
        <p class="hint">A new job with the same options; what is pending now is planned anew.</p>
      </div>
      <div class="actions end">
        <button class="btn" type="button" onClick={() => props.onClose()}>
          Close
        </button>
        <button class="btn primary" type="button" disabled={busy() || hosts() === 0} onClick={() => void submit()}>
          Try again on {plural(hosts(), "host")}
        </button>
      </div>
    </Dialog>
  )
}
