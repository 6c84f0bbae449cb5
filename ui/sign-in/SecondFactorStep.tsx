/** The password was right: now a code, a passkey or a recovery code. */
import { Show, type JSX } from "solid-js"
import type { FactorKind } from "#core/Session.ts"
import { SecondFactorForm } from "../account/SecondFactorForm.tsx"
import { signOut } from "../api/session.ts"
import styles from "./SignInPage.module.css"

export const SecondFactorStep = (props: { username: string; factors: ReadonlyArray<FactorKind> }): JSX.Element => (
  <div class={`card ${styles["login"]}`}>
    <h1>Second factor</h1>
    <Show when={props.username !== ""}>
      <p>
        <span class="muted">Signing in as</span> <b class="strong">{props.username}</b>
      </p>
    </Show>
    <SecondFactorForm
      factors={props.factors}
      act="Sign in"
      id="second-factor"
      wide
      cancel={
        <button class="btn quiet s" type="button" onClick={() => void signOut()}>
          Cancel sign-in
        </button>
      }
    />
  </div>
)
