/** Signed in with a password that somebody else made: nothing opens before it is changed. */
import { createSignal, onMount, Show, untrack, type JSX } from "solid-js"
import type { User } from "#core/User.ts"
import { NewPasswordFields } from "../account/NewPasswordFields.tsx"
import { createRefusal, leftWords } from "../account/refusal.ts"
import { ApiError } from "../api/ApiError.ts"
import { changePassword } from "../api/factors.ts"
import { refresh, signOut } from "../api/session.ts"
import styles from "./SignInPage.module.css"

export const NewPasswordStep = (props: {
  user: User
  /** The current password, where it was typed on this page; empty otherwise. */
  known: string
}): JSX.Element => {
  const [known, setKnown] = createSignal(untrack(() => props.known))
  const [current, setCurrent] = createSignal("")
  const [next, setNext] = createSignal("")
  const [busy, setBusy] = createSignal(false)
  const refusal = createRefusal()
  let heading: HTMLHeadingElement | undefined
  onMount(() => heading?.focus())
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    if (refusal.waits() > 0) return
    setBusy(true)
    refusal.clear()
    try {
      await changePassword(known() === "" ? current() : known(), next())
      await refresh()
    } catch (cause) {
      // Unless the new password alone was refused, what was typed in an earlier step may not be it after all.
      if (!(cause instanceof ApiError && cause.field("new_password") !== undefined)) setKnown("")
      refusal.say(cause)
    } finally {
      setBusy(false)
    }
  }
  return (
    <form class={`card ${styles["login"]}`} onSubmit={(event) => void submit(event)}>
      <div>
        <h1 ref={heading} tabIndex={-1}>
          Choose your password
        </h1>
        <p class="muted">The one you have was made by somebody else. Choose one that only you know.</p>
      </div>
      <NewPasswordFields
        username={props.user.username}
        {...(known() === "" ? { current: { value: current(), onInput: setCurrent } } : {})}
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
      <button class="btn primary big" type="submit" disabled={busy() || refusal.waits() > 0}>
        {refusal.waits() > 0 ? `Try again in ${leftWords(refusal.waits())}` : "Change password and continue"}
      </button>
      <div class={styles["foot"]}>
        <button class="btn quiet s" type="button" onClick={() => void signOut()}>
          Cancel sign-in
        </button>
      </div>
    </form>
  )
}
