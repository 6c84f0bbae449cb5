/** Changing one's own password. */
import { createSignal, Show, type JSX } from "solid-js"
import { NewPasswordFields } from "../account/NewPasswordFields.tsx"
import { createRefusal, leftWords } from "../account/refusal.ts"
import { changePassword } from "../api/factors.ts"
import { keys } from "../api/keys.ts"
import { refresh, user } from "../api/session.ts"
import { readSettings } from "../api/settings.ts"
import { withStepUp } from "../api/stepUp.ts"
import { useData } from "../api/useData.ts"
import { Dialog } from "../kit/Dialog.tsx"
import { say } from "../kit/toasts.ts"

export default function PasswordDialog(props: { onClose: () => void }): JSX.Element {
  const [current, setCurrent] = createSignal("")
  const [next, setNext] = createSignal("")
  const [busy, setBusy] = createSignal(false)
  const refusal = createRefusal()
  const settings = useData(() => ({ queryKey: keys.settings, queryFn: ({ signal }) => readSettings(signal) }))
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    if (refusal.waits() > 0) return
    setBusy(true)
    refusal.clear()
    try {
      const [old, chosen] = [current(), next()]
      await withStepUp(() => changePassword(old, chosen))
      say("Password changed; your other sessions have ended")
      void refresh().catch(() => undefined)
      props.onClose()
    } catch (cause) {
      refusal.say(cause)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog open onClose={() => props.onClose()} title="Change password" size="small">
      <form class="form" onSubmit={(event) => void submit(event)}>
        <NewPasswordFields
          username={user()?.username ?? ""}
          current={{ value: current(), onInput: setCurrent }}
          pci={settings.data?.pci_profile}
          next={next()}
          onNext={setNext}
          faultId={refusal.words() === null ? undefined : "new-password-fault"}
        />
        <Show when={refusal.words()}>
          {(words) => (
            <p class="fault" role="alert" id="new-password-fault">
              {words()}
            </p>
          )}
        </Show>
        <div class="actions end">
          <button class="btn" type="button" onClick={() => props.onClose()}>
            Cancel
          </button>
          <button class="btn primary" type="submit" disabled={busy() || refusal.waits() > 0}>
            {refusal.waits() > 0 ? `Try again in ${leftWords(refusal.waits())}` : "Change password"}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
