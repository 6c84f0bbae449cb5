/** Makes new recovery codes; the old ones stop working. */
import { createSignal, Match, Show, Switch, type JSX } from "solid-js"
import { renewRecoveryCodes } from "../api/factors.ts"
import { withStepUp } from "../api/stepUp.ts"
import { Dialog } from "../kit/Dialog.tsx"
import { CodesShownOnce } from "./CodesShownOnce.tsx"
import { createRefusal } from "./refusal.ts"
import { renewFactors } from "./renewFactors.ts"

export default function RecoveryCodesDialog(props: { onClose: () => void }): JSX.Element {
  const [codes, setCodes] = createSignal<ReadonlyArray<string> | null>(null)
  const [busy, setBusy] = createSignal(false)
  const refusal = createRefusal()
  const submit = async (): Promise<void> => {
    setBusy(true)
    refusal.clear()
    try {
      setCodes((await withStepUp(renewRecoveryCodes)).recovery_codes)
      renewFactors()
    } catch (cause) {
      refusal.say(cause)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog
      open
      onClose={() => props.onClose()}
      title={codes() === null ? "Make new recovery codes" : "Store your recovery codes"}
      size="small"
      keep={codes() !== null}
    >
      <Switch>
        <Match when={codes()}>{(all) => <CodesShownOnce codes={all()} onClose={() => props.onClose()} />}</Match>
        <Match when={true}>
          <p>You get ten new codes. Those you have now stop working at once.</p>
          <Show when={refusal.words()}>
            {(words) => (
              <p class="fault" role="alert">
                {words()}
              </p>
            )}
          </Show>
          <div class="actions end">
            <button class="btn" type="button" onClick={() => props.onClose()}>
              Keep the old ones
            </button>
            <button class="btn primary" type="button" disabled={busy()} onClick={() => void submit()}>
              Make new codes
            </button>
          </div>
        </Match>
      </Switch>
    </Dialog>
  )
}
