/** User name first, then the password. What else an account asks for becomes a further step of the same card. */
import { createSignal, Match, onMount, Show, Switch, type JSX } from "solid-js"
import { ApiError } from "../api/ApiError.ts"
import { session, signIn } from "../api/session.ts"
import { Logo } from "../kit/Icon.tsx"
import { usePage } from "../kit/usePage.ts"
import styles from "./SignInPage.module.css"

type Step = "name" | "password"

const words = (cause: unknown): string => {
  if (!(cause instanceof ApiError)) return cause instanceof Error ? cause.message : String(cause)
  const wait = cause.details.retry_after_seconds
  return wait === undefined ? cause.message : `${cause.message} Try again in ${wait} s.`
}

export default function SignInPage(): JSX.Element {
  usePage(() => "Sign in")
  const [step, setStep] = createSignal<Step>("name")
  const [name, setName] = createSignal("")
  const [password, setPassword] = createSignal("")
  const [error, setError] = createSignal<string | null>(null)
  const [busy, setBusy] = createSignal(false)
  let passwordField: HTMLInputElement | undefined
  let nameField: HTMLInputElement | undefined

  onMount(() => nameField?.focus())
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    setError(null)
    if (step() === "name") {
      setStep("password")
      passwordField?.focus()
      return
    }
    setBusy(true)
    try {
      await signIn(name().trim(), password())
    } catch (cause) {
      setError(words(cause))
      setPassword("")
      passwordField?.focus()
    } finally {
      setBusy(false)
    }
  }
  const back = (): void => {
    setStep("name")
    setPassword("")
    setError(null)
    nameField?.focus()
  }
  const expired = (): boolean => {
    const now = session()
    return now.state === "signed_out" && now.expired
  }
  return (
    <div class={styles["signin"]}>
      <header>
        <span class="brand">
          <Logo />
          <span>Patch Manager</span>
        </span>
        <span>{location.hostname}</span>
      </header>
      <main id="main">
        <form class={`card ${styles["login"]}`} onSubmit={(event) => void submit(event)}>
          <h1>Sign in</h1>
          <Show when={expired()}>
            <p class="muted">Your session has ended. Sign in to go on where you were.</p>
          </Show>
          <div class="field" classList={{ [styles["away"] ?? ""]: step() !== "name" }}>
            <label for="username">User name</label>
            <input
              class="inp"
              id="username"
              name="username"
              ref={nameField}
              autocomplete="username"
              autocapitalize="none"
              spellcheck={false}
              tabIndex={step() === "name" ? 0 : -1}
              required
              value={name()}
              onInput={(event) => setName(event.currentTarget.value)}
            />
            <span class="hint">The password comes next.</span>
          </div>
          <Show when={step() === "password"}>
            <div class={styles["as"]}>
              <span class="trunc">
                <span class="muted">Signing in as</span> <b>{name()}</b>
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
              aria-describedby={error() === null ? undefined : "sign-in-error"}
              value={password()}
              onInput={(event) => setPassword(event.currentTarget.value)}
            />
          </div>
          <Show when={error()}>
            {(text) => (
              <p class="fault" role="alert" id="sign-in-error">
                {text()}
              </p>
            )}
          </Show>
          <button class="btn primary big" type="submit" disabled={busy()}>
            <Switch>
              <Match when={step() === "name"}>Continue</Match>
              <Match when={busy()}>Signing in</Match>
              <Match when={true}>Sign in</Match>
            </Switch>
          </button>
        </form>
      </main>
      <footer>
        <span>Version {__CONSOLE_VERSION__}</span>
        <span>All sign-ins are recorded in the audit log.</span>
      </footer>
    </div>
  )
}
