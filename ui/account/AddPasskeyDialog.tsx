/** Registers a passkey of this browser, of a phone or of a security key. */
import { createSignal, Match, Show, Switch, type JSX } from "solid-js"
import { addPasskey } from "../api/factors.ts"
import { blocksPasskeys, refusedBeforehand, type Refusal as PasskeyWhy } from "../api/passkeys.ts"
import { withStepUp } from "../api/stepUp.ts"
import { Dialog } from "../kit/Dialog.tsx"
import { say } from "../kit/toasts.ts"
import { CodesShownOnce } from "./CodesShownOnce.tsx"
import { PasskeyRefusal } from "./PasskeyRefusal.tsx"
import { agentName } from "./agentName.ts"
import { createRefusal } from "./refusal.ts"
import { renewFactors } from "./renewFactors.ts"

export default function AddPasskeyDialog(props: { onClose: () => void }): JSX.Element {
  const [name, setName] = createSignal(agentName(navigator.userAgent))
  const [blocked, setBlocked] = createSignal<PasskeyWhy | null>(refusedBeforehand())
  const [busy, setBusy] = createSignal(false)
  const [codes, setCodes] = createSignal<ReadonlyArray<string> | null>(null)
  const refusal = createRefusal()
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    setBusy(true)
    refusal.clear()
    try {
      const called = name().trim()
      const added = await withStepUp(() => addPasskey(called))
      renewFactors(added.signed_in)
      say(`Passkey ${added.passkey.name} added`)
      if (added.recovery_codes === null) props.onClose()
      else setCodes(added.recovery_codes)
    } catch (cause) {
      const why = blocksPasskeys(cause)
      if (why === null) refusal.say(cause)
      else setBlocked(why)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog open onClose={() => props.onClose()} title="Add passkey" size="small" keep={codes() !== null}>
      <Switch>
        <Match when={codes()}>{(all) => <CodesShownOnce codes={all()} onClose={() => props.onClose()} />}</Match>
        <Match when={true}>
          <form class="form" onSubmit={(event) => void submit(event)}>
            <p class="muted">
              It is your password and second factor in one. Your browser asks where to keep it: on this device, on a
              phone or on a security key.
            </p>
            <div class="field">
              <label for="passkey-name">Name</label>
              <input
                class="inp"
                id="passkey-name"
                required
                maxlength="64"
                autocomplete="off"
                value={name()}
                onInput={(event) => setName(event.currentTarget.value)}
              />
              <span class="hint">So that you know which one it is when you remove it.</span>
            </div>
            <Show when={blocked()}>{(why) => <PasskeyRefusal why={why()} totp />}</Show>
            <Show when={refusal.words()}>
              {(words) => (
                <p class="fault" role="alert">
                  {words()}
                </p>
              )}
            </Show>
            <div class="actions end">
              <button class="btn" type="button" onClick={() => props.onClose()}>
                Cancel
              </button>
              <button
                class="btn primary"
                type="submit"
                disabled={busy() || name().trim() === "" || refusedBeforehand() !== null}
              >
                Add passkey
              </button>
            </div>
          </form>
        </Match>
      </Switch>
    </Dialog>
  )
}
