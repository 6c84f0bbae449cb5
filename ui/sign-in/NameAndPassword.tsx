/** User name first, then the password; or one of the other ways, which need neither. */
import { createSignal, Match, onCleanup, onMount, Show, Switch, type JSX } from "solid-js"
import { PasskeyRefusal } from "../account/PasskeyRefusal.tsx"
import { createRefusal, leftWords } from "../account/refusal.ts"
import { blocksPasskeys, offersAutofill, stopWaiting, type Refusal as PasskeyWhy } from "../api/passkeys.ts"
import { session, signIn, signInWithPasskey } from "../api/session.ts"
import { OtherWays } from "./OtherWays.tsx"
import { ssoWords } from "./ssoWords.ts"
import styles from "./SignInPage.module.css"

const reasons = {
  none: null,
  expired: "Your session has ended. Sign in to go on where you were.",
  ended: "Your session was ended. Sign in to go on where you were."
} as const

/** Takes the error out of the address, so that a reload does not repeat it. */
const takeSsoError = (): string | null => {
  const found = ssoWords(location.search)
  if (found !== null || location.pathname === "/sign-in") {
    const rest = new URLSearchParams(location.search)
    rest.delete("sso_error")
    const path = location.pathname === "/sign-in" ? "/" : location.pathname
    history.replaceState(history.state, "", rest.size === 0 ? path : `${path}?${rest}`)
  }
  return found
}

export const NameAndPassword = (props: {
  name: string
  onName: (name: string) => void
  onPassword: (password: string) => void
  why: keyof typeof reasons
}): JSX.Element => {
  const [step, setStep] = createSignal<"name" | "password">("name")
  const [password, setPassword] = createSignal("")
  const [busy, setBusy] = createSignal(false)
  const [blocked, setBlocked] = createSignal<PasskeyWhy | null>(null)
  const [ssoFault] = createSignal(takeSsoError())
  const refusal = createRefusal()
  let passwordField: HTMLInputElement | undefined
  let nameField: HTMLInputElement | undefined

  onMount(() => {
    nameField?.focus()
    // Waits in the name's field; what goes wrong with it nobody has asked for.
    void offersAutofill()
      .then((offers) => (offers ? signInWithPasskey(true) : undefined))
      .catch(() => undefined)
  })
  onCleanup(stopWaiting)

  const attempt = async (sign: () => Promise<void>): Promise<void> => {
    setBusy(true)
    refusal.clear()
    setBlocked(null)
    try {
      await sign()
    } catch (cause) {
      const why = blocksPasskeys(cause)
      if (why === null) refusal.say(cause)
      else setBlocked(why)
    } finally {
      setBusy(false)
    }
  }
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    if (busy() || refusal.waits() > 0) return
    if (step() === "name") {
      refusal.clear()
      setStep("password")
      passwordField?.focus()
      return
    }
    const [name, typed] = [props.name.trim(), password()]
    props.onPassword(typed)
    await attempt(() => signIn(name, typed))
    if (session().state !== "signed_out") return
    props.onPassword("")
    setPassword("")
    passwordField?.focus()
  }
  const back = (): void => {
    setStep("name")
    setPassword("")
    refusal.clear()
    nameField?.focus()
  }
  return (
    <form class={`card ${styles["login"]}`} onSubmit={(event) => void submit(event)}>
      <h1>Sign in</h1>
      <Show when={reasons[props.why]}>{(words) => <p class="muted">{words()}</p>}</Show>
      <Show when={step() === "name" && ssoFault()}>
        {(words) => (
          <p class="fault" role="alert">
            {words()}
          </p>
        )}
      </Show>
      <Show when={step() === "name"}>
        <OtherWays disabled={busy()} onPasskey={() => void attempt(() => signInWithPasskey())} />
      </Show>
      <Show when={blocked()}>{(why) => <PasskeyRefusal why={why()} totp={false} />}</Show>
      <div class="field" classList={{ [styles["away"] ?? ""]: step() !== "name" }}>
        <label for="username">User name</label>
        <input
          class="inp"
          id="username"
          name="username"
          ref={nameField}
          autocomplete="username webauthn"
          autocapitalize="none"
          spellcheck={false}
          tabIndex={step() === "name" ? 0 : -1}
          required
          value={props.name}
          onInput={(event) => props.onName(event.currentTarget.value)}
        />
        <span class="hint">Password and second factor come next.</span>
      </div>
      <Show when={step() === "password"}>
        <div class={styles["as"]}>
          <span class="trunc">
            <span class="muted">Signing in as</span> <b>{props.name}</b>
          </span>
          <button class="btn quiet s" type="button" onClick={back}>
            Change
          </button>
        </div>
      </Show>
      <div class="field" classList={{ [styles["away"] ?? ""]: step() !== "password" }}>
        <label for="password">Password</label>
        <input
          class="inp"
          id="password"
          name="password"
          type="password"
          ref={passwordField}
          autocomplete="current-password"
          tabIndex={step() === "password" ? 0 : -1}
          required={step() === "password"}
          aria-describedby={refusal.words() === null ? undefined : "sign-in-error"}
          value={password()}
          onInput={(event) => setPassword(event.currentTarget.value)}
        />
      </div>
      <Show when={refusal.words()}>
        {(text) => (
          <p class="fault" role="alert" id="sign-in-error">
            {text()}
          </p>
        )}
      </Show>
      <button class="btn primary big" type="submit" disabled={busy() || refusal.waits() > 0}>
        <Switch>
          <Match when={refusal.waits() > 0}>Try again in {leftWords(refusal.waits())}</Match>
          <Match when={step() === "name"}>Continue</Match>
          <Match when={busy()}>Signing in</Match>
          <Match when={true}>Sign in</Match>
        </Switch>
      </button>
    </form>
  )
}
