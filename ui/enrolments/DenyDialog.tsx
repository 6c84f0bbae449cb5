/** Sends a machine away; its agent stops asking at its next poll. */
import { createSignal, type JSX } from "solid-js"
import type { Enrolment } from "#core/Enrolment.ts"
import { denyEnrolment } from "../api/enrolments.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { Dialog } from "../kit/Dialog.tsx"
import { say, sayFailed } from "../kit/toasts.ts"
import { Facts } from "./Facts.tsx"

export default function DenyDialog(props: { enrolment: Enrolment; onClose: () => void }): JSX.Element {
  const [busy, setBusy] = createSignal(false)
  let keep: HTMLButtonElement | undefined
  const submit = async (): Promise<void> => {
    setBusy(true)
    try {
      await denyEnrolment(props.enrolment.id)
      say(`${props.enrolment.fqdn} is denied`)
      props.onClose()
    } catch (cause) {
      sayFailed("The request was not denied", cause)
    } finally {
      setBusy(false)
      void queryClient.invalidateQueries({ queryKey: keys.enrolments })
    }
  }
  return (
    <Dialog open onClose={() => props.onClose()} title={`Deny ${props.enrolment.fqdn}`} focus={() => keep}>
      <Facts of={props.enrolment} />
      <p class="muted">Its agent is told at its next poll and stops asking. The machine may ask again later.</p>
      <div class="actions end">
        <button class="btn" type="button" ref={keep} onClick={() => props.onClose()}>
          Keep the request
        </button>
        <button class="btn dangerfill" type="button" disabled={busy()} onClick={() => void submit()}>
          Deny
        </button>
      </div>
    </Dialog>
  )
}
