/** The current password, where it is not known, and the new one. */
import { createSignal, Show, type JSX } from "solid-js"
import { passwordRules } from "#core/PasswordPolicy.ts"
import styles from "./Factors.module.css"

export const NewPasswordFields = (props: {
  username: string
  /** Left out where the current password was typed a moment ago. */
  current?: { readonly value: string; readonly onInput: (value: string) => void }
  /** Whether the PCI profile is on, where that is known; the server has the last word. */
  pci?: boolean | undefined
  next: string
  onNext: (value: string) => void
  faultId?: string | undefined
}): JSX.Element => {
  const [shown, setShown] = createSignal(false)
  return (
    <>
      <input
        class="vh"
        type="text"
        autocomplete="username"
        value={props.username}
        tabIndex={-1}
        aria-hidden="true"
        readOnly
      />
      <Show when={props.current}>
        {(current) => (
          <div class="field">
            <label for="current-password">Current password</label>
            <input
              class="inp"
              id="current-password"
              type="password"
              autocomplete="current-password"
              required
              value={current().value}
              onInput={(event) => current().onInput(event.currentTarget.value)}
            />
          </div>
        )}
      </Show>
      <div class="field">
        <label for="new-password">New password</label>
        <input
          class="inp"
          id="new-password"
          type={shown() ? "text" : "password"}
          autocomplete="new-password"
          required
          aria-describedby={`new-password-hint${props.faultId === undefined ? "" : ` ${props.faultId}`}`}
          value={props.next}
          onInput={(event) => props.onNext(event.currentTarget.value)}
        />
        <span class="hint" id="new-password-hint">
          {passwordRules(props.pci === true).join(" ")}
        </span>
      </div>
      <label class={styles["show"]}>
        <input
          class="ck"
          type="checkbox"
          checked={shown()}
          onChange={(event) => setShown(event.currentTarget.checked)}
        />
        Show the new password
      </label>
    </>
  )
}
