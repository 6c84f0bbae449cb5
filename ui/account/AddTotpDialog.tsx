/** Sets up an authenticator app. */
import { createSignal, Match, onMount, Show, Switch, type JSX } from "solid-js"
import type { TotpStarted } from "#http/api/Factors.ts"
import { confirmTotp, startTotp } from "../api/factors.ts"
import { withStepUp } from "../api/stepUp.ts"
import { Dialog } from "../kit/Dialog.tsx"
import { say } from "../kit/toasts.ts"
import { CodesShownOnce } from "./CodesShownOnce.tsx"
import { createRefusal, leftWords } from "./refusal.ts"
import { renewFactors } from "./renewFactors.ts"
import { tidyCode } from "./tidyCode.ts"
import { TotpFields } from "./TotpFields.tsx"

export default function AddTotpDialog(props: { onClose: () => void }): JSX.Element {
  const [started, setStarted] = createSignal<TotpStarted>()
  const [code, setCode] = createSignal("")
  const [busy, setBusy] = createSignal(false)
  const [codes, setCodes] = createSignal<ReadonlyArray<string> | null>(null)
  const refusal = createRefusal()
  let field: HTMLInputElement | undefined
  const attempt = async (run: () => Promise<void>): Promise<void> => {
    setBusy(true)
    refusal.clear()
    try {
      await run()
    } catch (cause) {
      refusal.say(cause)
      setCode("")
    } finally {
      setBusy(false)
      field?.focus()
    }
  }
  const start = async (): Promise<void> => void setStarted(await withStepUp(startTotp))
  onMount(() => void attempt(start))
  const confirm = async (): Promise<void> => {
    const given = tidyCode(code())
    const added = await withStepUp(() => confirmTotp(given))
    renewFactors(added.signed_in)
    say("Authenticator app added")
    if (added.recovery_codes === null) props.onClose()
    else setCodes(added.recovery_codes)
  }
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    if (refusal.waits() === 0) void attempt(started() === undefined ? start : confirm)
  }
  return (
    <Dialog open onClose={() => props.onClose()} title="Set up authenticator app" size="wide" keep={codes() !== null}>
      <Switch>
        <Match when={codes()}>{(all) => <CodesShownOnce codes={all()} onClose={() => props.onClose()} />}</Match>
        <Match when={true}>
          <form class="form" onSubmit={submit}>
            <TotpFields
              id="totp-code"
              started={started()}
              code={code()}
              onInput={setCode}
              faultId={refusal.words() === null ? undefined : "totp-fault"}
              ref={(element) => (field = element)}
            />
            <Show when={refusal.words()}>
              {(words) => (
                <p class="fault" role="alert" id="totp-fault">
                  {words()}
                </p>
              )}
            </Show>
            <div class="actions end">
              <button class="btn" type="button" onClick={() => props.onClose()}>
                Cancel
              </button>
              <button class="btn primary" type="submit" disabled={busy() || refusal.waits() > 0}>
                {refusal.waits() > 0 ? `Try again in ${leftWords(refusal.waits())}` : "Set up app"}
              </button>
            </div>
          </form>
        </Match>
      </Switch>
    </Dialog>
  )
}
