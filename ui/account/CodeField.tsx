/** The six digits of an authenticator app, or a recovery code. */
import type { JSX } from "solid-js"
import styles from "./Factors.module.css"

export const CodeField = (props: {
  id: string
  kind: "totp" | "recovery_code"
  value: string
  onInput: (value: string) => void
  label?: string
  hint?: JSX.Element
  faultId?: string | undefined
  ref?: (field: HTMLInputElement) => void
}): JSX.Element => (
  <div class="field">
    <label for={props.id}>
      {props.label ?? (props.kind === "totp" ? "Code from the authenticator app" : "Recovery code")}
    </label>
    <input
      class={`inp ${styles[props.kind === "totp" ? "digits" : "recovery"]}`}
      id={props.id}
      ref={(field) => props.ref?.(field)}
      inputmode={props.kind === "totp" ? "numeric" : "text"}
      autocomplete={props.kind === "totp" ? "one-time-code" : "off"}
      autocapitalize="none"
      spellcheck={false}
      maxlength={props.kind === "totp" ? 9 : 64}
      required
      aria-describedby={`${props.id}-hint${props.faultId === undefined ? "" : ` ${props.faultId}`}`}
      value={props.value}
      onInput={(event) => props.onInput(event.currentTarget.value)}
    />
    <span class="hint" id={`${props.id}-hint`}>
      {props.hint ?? (props.kind === "totp" ? "Six digits; each code counts once." : "Each recovery code counts once.")}
    </span>
  </div>
)
