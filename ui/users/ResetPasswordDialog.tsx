/** Gives an account a new first password, shown once. */
import { createSignal, Show, type JSX } from "solid-js"
import type { PasswordReset, UserAccount } from "#core/UserAccount.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { resetPassword } from "../api/users.ts"
import { Dialog } from "../kit/Dialog.tsx"
import { problemWords } from "../kit/problemWords.ts"
import { PasswordOnce } from "./PasswordOnce.tsx"

export default function ResetPasswordDialog(props: { user: UserAccount; onClose: () => void }): JSX.Element {
  const [fault, setFault] = createSignal<unknown>(null)
  const [busy, setBusy] = createSignal(false)
  const [reset, setReset] = createSignal<PasswordReset | null>(null)
  const submit = async (): Promise<void> => {
    setBusy(true)
    setFault(null)
    try {
      setReset(await resetPassword(props.user.id))
      void queryClient.invalidateQueries({ queryKey: keys.users })
      void queryClient.invalidateQueries({ queryKey: keys.allSessions })
    } catch (cause) {
      setFault(cause)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog
      open
      onClose={() => props.onClose()}
      title={`Reset the password of ${props.user.username}`}
      size="small"
      keep={reset() !== null}
    >
      <Show
        when={reset()}
        fallback={
          <>
            <p class="muted">
              The old password stops working and every session of {props.user.username} ends. The second factors stay: a
              new password alone opens nothing.
            </p>
            <Show when={fault()}>
              {(cause) => (
                <p class="fault" role="alert">
                  {problemWords(cause())}
                </p>
              )}
            </Show>
            <div class="actions end">
              <button class="btn" type="button" onClick={() => props.onClose()}>
                Cancel
              </button>
              <button class="btn primary" type="button" disabled={busy()} onClick={() => void submit()}>
                Reset password
              </button>
            </div>
          </>
        }
      >
        {(answer) => (
          <PasswordOnce
            username={props.user.username}
            password={answer().temporary_password}
            onDone={() => props.onClose()}
          />
        )}
      </Show>
    </Dialog>
  )
}
