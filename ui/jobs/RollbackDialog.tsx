/** Undoing a job: by installing the versions from before, or by the agent's own rollback; with what that will do, beforehand. */
import { useNavigate } from "@solidjs/router"
import { createSignal, For, Show, type JSX } from "solid-js"
import type { JobDetail, NewRollback } from "#core/Job.ts"
import type { RollbackMethod } from "#core/Order.ts"
import { ApiError } from "../api/ApiError.ts"
import { planRollback, rollBackJob } from "../api/jobs.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { useData } from "../api/useData.ts"
import { count, plural } from "../format/numbers.ts"
import { undoStates } from "../format/states.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { Dialog } from "../kit/Dialog.tsx"
import { State } from "../kit/State.tsx"

const methods: ReadonlyArray<{ value: RollbackMethod; words: string; hint: string }> = [
  {
    value: "versions",
    words: "Install the versions from before",
    hint: "Needs an agent that installs older versions. Packages that the run brought along stay."
  },
  {
    value: "agent",
    words: "The agent's own rollback",
    hint: "Most agents take the request and never begin it; the manager says so after ten minutes."
  }
]

export default function RollbackDialog(props: { job: JobDetail; onClose: () => void }): JSX.Element {
  const navigate = useNavigate()
  const [method, setMethod] = createSignal<RollbackMethod>("versions")
  const [fault, setFault] = createSignal<string | null>(null)
  const [busy, setBusy] = createSignal(false)
  const key = crypto.randomUUID()
  const wanted = (): NewRollback => ({ method: method(), when: { kind: "immediate" } })
  const plan = useData(() => ({
    queryKey: ["rollback-plan", props.job.id, method()],
    queryFn: ({ signal }) => planRollback(props.job.id, wanted(), signal)
  }))
  const submit = async (): Promise<void> => {
    setBusy(true)
    setFault(null)
    try {
      const made = await rollBackJob(props.job.id, wanted(), key)
      void queryClient.invalidateQueries({ queryKey: keys.jobs })
      props.onClose()
      navigate(`/jobs/${made.id}`)
    } catch (cause) {
      setFault(cause instanceof ApiError ? cause.message : String(cause))
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog open onClose={() => props.onClose()} title={`Roll back job #${props.job.number}`} size="wide">
      <div class="form">
        <fieldset class="field">
          <legend class="lab">How</legend>
          <For each={methods}>
            {(one) => (
              <label>
                <input
                  class="rd"
                  type="radio"
                  name="method"
                  checked={method() === one.value}
                  onChange={() => setMethod(one.value)}
                />{" "}
                {one.words} <span class="hint">{one.hint}</span>
              </label>
            )}
          </For>
        </fieldset>
        <DataArea query={plan} what="The plan" rows={3}>
          {(made) => (
            <div class="scrollx" tabIndex={0} role="group" aria-label="What will be undone">
              <table class="tbl">
                <thead>
                  <tr>
                    <th scope="col">Host</th>
                    <th scope="col">Packages</th>
                    <th scope="col">Can be undone</th>
                    <th scope="col">Because</th>
                  </tr>
                </thead>
                <tbody>
                  <For each={made().hosts.slice(0, 100)}>
                    {(host) => (
                      <tr>
                        <td>{host.host_name}</td>
                        <td>{host.changes === null ? "not known" : count(host.changes.length)}</td>
                        <td>
                          <State of={undoStates[host.undo.answer]} />
                        </td>
                        <td class="muted">{host.undo.because}</td>
                      </tr>
                    )}
                  </For>
                </tbody>
              </table>
            </div>
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
      <div class="actions end">
        <button class="btn" type="button" onClick={() => props.onClose()}>
          Keep things as they are
        </button>
        <button
          class="btn dangerfill"
          type="button"
          disabled={busy() || plan.data === undefined}
          onClick={() => void submit()}
        >
          Roll back {plural(plan.data?.hosts_total ?? 0, "host")} now
        </button>
      </div>
    </Dialog>
  )
}
