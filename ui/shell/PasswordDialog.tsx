/** Changing one's own password. */
import { createSignal, Show, type JSX } from "solid-js"
import { ApiError } from "../api/ApiError.ts"
import { post } from "../api/client.ts"
import { refresh, user } from "../api/session.ts"
import { Dialog } from "../kit/Dialog.tsx"
import { say } from "../kit/toasts.ts"

const LEAST = 12

export default function PasswordDialog(props: { onClose: () => void }): JSX.Element {
  const [current, setCurrent] = createSignal("")
  const [next, setNext] = createSignal("")
  const [error, setError] = createSignal<string | null>(null)
  const [busy, setBusy] = createSignal(false)
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    if (next().length < LEAST) {
      setError(`The new password needs at least ${LEAST} characters.`)
      return
    }
    setBusy(true)
    try {
      await post("/api/v1/auth/password", { body: { current_password: current(), new_password: next() } })
      say("Password changed")
      void refresh().catch(() => undefined)
      props.onClose()
    } catch (cause) {
      setError(cause instanceof ApiError ? (cause.field("new_password") ?? cause.message) : String(cause))
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog open onClose={() => props.onClose()} title="Change password" size="small">
      <Show when={user()?.must_change_password}>
        <p class="muted">This password was made by somebody else. Choose one that only you know.</p>
      </Show>
      <form class="form" onSubmit={(event) => void submit(event)}>
        <input
          class="vh"
          type="text"
          autocomplete="username"
          value={user()?.username ?? ""}
          tabIndex={-1}
          aria-hidden="true"
        />
        <div class="field">
          <label for="current-password">Current password</label>
          <input
            class="inp"
            id="current-password"
            type="password"
            autocomplete="current-password"
            required
            value={current()}
            onInput={(event) => setCurrent(event.currentTarget.value)}
          />
        </div>
        <div class="field">
          <label for="new-password">New password</label>
          <input
            class="inp"
            id="new-password"
            type="password"
            autocomplete="new-password"
            required
            aria-describedby="new-password-hint"
            value={next()}
            onInput={(event) => setNext(event.currentTarget.value)}
          />
          <span class="hint" id="new-password-hint">
            At least {LEAST} characters, any of them.
          </span>
        </div>
        <Show when={error()}>
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
          <button class="btn primary" type="submit" disabled={busy()}>
            Change password
          </button>
        </div>
      </form>
    </Dialog>
  )
}
