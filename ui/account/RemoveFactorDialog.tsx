/** Takes a second factor away; the last one stays. */
import type { JSX } from "solid-js"
import type { PasskeyItem } from "#core/Factor.ts"
import { removePasskey, removeTotp } from "../api/factors.ts"
import { withStepUp } from "../api/stepUp.ts"
import { FormDialog } from "../kit/FormDialog.tsx"
import { say } from "../kit/toasts.ts"
import { renewFactors } from "./renewFactors.ts"

export default function RemoveFactorDialog(props: {
  /** Null for the authenticator app. */
  passkey: PasskeyItem | null
  onClose: () => void
}): JSX.Element {
  const name = (): string => (props.passkey === null ? "authenticator app" : `passkey ${props.passkey.name}`)
  const submit = async (): Promise<void> => {
    const { passkey } = props
    await withStepUp(() => (passkey === null ? removeTotp() : removePasskey(passkey.id)))
    renewFactors()
    say(passkey === null ? "Authenticator app removed" : `Passkey ${passkey.name} removed`)
  }
  return (
    <FormDialog
      title={`Remove ${name()}`}
      act={props.passkey === null ? "Remove app" : "Remove passkey"}
      danger
      onClose={() => props.onClose()}
      onSubmit={submit}
    >
      <p>
        {props.passkey === null
          ? "Its codes no longer count, here and for every sign-in from now on."
          : "It no longer opens your account. Your device may still offer it: remove it there too."}
      </p>
    </FormDialog>
  )
}
