/** What cancelling stops, and what it cannot stop any more. */
import { createSignal, Show, type JSX } from "solid-js"
import type { JobDetail } from "#core/Job.ts"
import { cancelJob } from "../api/jobs.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { plural } from "../format/numbers.ts"
import { Dialog } from "../kit/Dialog.tsx"
import { Icon } from "../kit/Icon.tsx"
import { say, sayFailed } from "../kit/toasts.ts"
import { groupCounts } from "./groupCounts.ts"

export default function CancelDialog(props: { job: JobDetail; onClose: () => void }): JSX.Element {
  const [busy, setBusy] = createSignal(false)
  let keep: HTMLButtonElement | undefined
  const counts = () => groupCounts(props.job.counts)
  const submit = async (): Promise<void> => {
    setBusy(true)
    try {
      await cancelJob(props.job.id)
      say(`Job #${props.job.number} is being cancelled`)
      void queryClient.invalidateQueries({ queryKey: keys.job(props.job.id) })
      void queryClient.invalidateQueries({ queryKey: keys.jobHosts(props.job.id) })
      props.onClose()
    } catch (cause) {
      sayFailed("The job was not cancelled", cause)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog open onClose={() => props.onClose()} title={`Cancel job #${props.job.number}`} focus={() => keep}>
      <ul>
        <Show when={counts().waiting > 0}>
          <li>
            <Icon name="clock" />
            {plural(counts().waiting, "waiting host")} will not be started
          </li>
        </Show>
        <Show when={counts().running > 0}>
          <li>
            <Icon name="sync" />
            {plural(counts().running, "host")} already at work: what was sent to an agent runs to its end and is checked
          </li>
        </Show>
        <Show when={counts().done > 0}>
          <li>
            <Icon name="check" />
            {plural(counts().done, "host")} already done: nothing is undone
          </li>
        </Show>
      </ul>
      <div class="actions end">
        <button class="btn" type="button" ref={keep} onClick={() => props.onClose()}>
          Keep the job
        </button>
        <button class="btn dangerfill" type="button" disabled={busy()} onClick={() => void submit()}>
          Cancel job
        </button>
      </div>
    </Dialog>
  )
}
