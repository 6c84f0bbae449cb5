/** The forced first second factor: nothing of the console opens before one is set up and its recovery codes are stored. */
import { createSignal, Match, onMount, Show, Switch, untrack, type JSX } from "solid-js"
import type { EnrolmentKind } from "#core/Session.ts"
import type { SignedIn } from "#http/api/Auth.ts"
import type { TotpStarted } from "#http/api/Factors.ts"
import { PasskeyRefusal } from "../account/PasskeyRefusal.tsx"
import { agentName } from "../account/agentName.ts"
import { RecoveryCodes } from "../account/RecoveryCodes.tsx"
import { createRefusal, leftWords } from "../account/refusal.ts"
import { tidyCode } from "../account/tidyCode.ts"
import { TotpFields } from "../account/TotpFields.tsx"
import { addPasskey, confirmTotp, startTotp } from "../api/factors.ts"
import { blocksPasskeys, refusedBeforehand, type Refusal as PasskeyWhy } from "../api/passkeys.ts"
import { accept, signOut } from "../api/session.ts"
import { Icon } from "../kit/Icon.tsx"
import { EnrolSteps } from "./EnrolSteps.tsx"
import styles from "./EnrolFactor.module.css"

interface Enrolled {
  readonly codes: ReadonlyArray<string>
  readonly signed_in: SignedIn
}

const Method = (props: {
  kind: EnrolmentKind
  chosen: EnrolmentKind
  title: string
  words: string
  onChoose: (kind: EnrolmentKind) => void
}): JSX.Element => (
  <label class={styles["method"]}>
    <input
      class="rd"
      type="radio"
      name="method"
      checked={props.chosen === props.kind}
      onChange={() => props.onChoose(props.kind)}
    />
    <b>{props.title}</b>
    <small>{props.words}</small>
  </label>
)

export const EnrolFactor = (props: { username: string; factors: ReadonlyArray<EnrolmentKind> }): JSX.Element => {
  const beforehand = refusedBeforehand()
  const [method, setMethod] = createSignal<EnrolmentKind>(
    beforehand === null && untrack(() => props.factors.includes("passkey")) ? "passkey" : "totp"
  )
  const [blocked, setBlocked] = createSignal<PasskeyWhy | null>(beforehand)
  const [started, setStarted] = createSignal<TotpStarted>()
  const [code, setCode] = createSignal("")
  const [busy, setBusy] = createSignal(false)
  const [enrolled, setEnrolled] = createSignal<Enrolled | null>(null)
  const [stored, setStored] = createSignal(false)
  const refusal = createRefusal()
  let heading: HTMLHeadingElement | undefined
  let field: HTMLInputElement | undefined

  const prepare = async (): Promise<void> => {
    if (method() !== "totp" || started() !== undefined) return
    try {
      setStarted(await startTotp())
    } catch (cause) {
      refusal.say(cause)
    }
  }
  onMount(() => {
    heading?.focus()
    void prepare()
  })
  const choose = (kind: EnrolmentKind): void => {
    setMethod(kind)
    refusal.clear()
    void prepare()
  }

  const enrol = async (): Promise<void> => {
    if (method() === "totp" && started() === undefined) return prepare()
    const { recovery_codes, signed_in } = await (method() === "totp"
      ? confirmTotp(tidyCode(code()))
      : addPasskey(agentName(navigator.userAgent)))
    if (recovery_codes === null) return accept(signed_in)
    setEnrolled({ codes: recovery_codes, signed_in })
    heading?.focus()
  }
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const done = enrolled()
    if (done !== null) return accept(done.signed_in)
    if (refusal.waits() > 0) return
    setBusy(true)
    refusal.clear()
    try {
      await enrol()
    } catch (cause) {
      const why = blocksPasskeys(cause)
      if (why === null) refusal.say(cause)
      else {
        setBlocked(why)
        choose("totp")
      }
      setCode("")
      if (method() === "totp") field?.focus()
    } finally {
      setBusy(false)
    }
  }
  const face = (): string => {
    if (enrolled() !== null) return "Open the console"
    if (refusal.waits() > 0) return `Try again in ${leftWords(refusal.waits())}`
    return method() === "totp" ? "Confirm and continue" : "Create a passkey"
  }
  return (
    <div class={`card ${styles["box"]}`}>
      <EnrolSteps username={props.username} at={enrolled() === null ? 1 : 2} />
      <form class={styles["body"]} onSubmit={(event) => void submit(event)}>
        <div>
          <h1 ref={heading} tabIndex={-1}>
            {enrolled() === null ? "Set up a second factor" : "Store your recovery codes"}
          </h1>
          <Show when={enrolled() === null}>
            <p class="muted">You can add more of them later. The console does not open without one.</p>
          </Show>
        </div>
        <Switch>
          <Match when={enrolled()}>
            {(done) => <RecoveryCodes codes={done().codes} username={props.username} onStored={setStored} />}
          </Match>
          <Match when={true}>
            <fieldset class={styles["methods"]}>
              <legend class="vh">Method</legend>
              <Show when={props.factors.includes("passkey") && blocked() === null}>
                <Method
                  kind="passkey"
                  chosen={method()}
                  title="Passkey"
                  words="This device or a security key. Recommended."
                  onChoose={choose}
                />
              </Show>
              <Method
                kind="totp"
                chosen={method()}
                title="Authenticator app"
                words="A six-digit code every 30 seconds."
                onChoose={choose}
              />
            </fieldset>
            <Show when={blocked()}>{(why) => <PasskeyRefusal why={why()} totp />}</Show>
            <Show
              when={method() === "totp"}
              fallback={
                <p class={styles["passkey"]}>
                  <Icon name="key" class="i20" />
                  Your browser asks where to keep it and confirms with a fingerprint, a face or a PIN. It opens the
                  console without a password from then on.
                </p>
              }
            >
              <TotpFields
                id="enrol-code"
                started={started()}
                code={code()}
                onInput={setCode}
                faultId={refusal.words() === null ? undefined : "enrol-fault"}
                ref={(element) => (field = element)}
              />
            </Show>
          </Match>
        </Switch>
        <Show when={refusal.words()}>
          {(words) => (
            <p class="fault" role="alert" id="enrol-fault">
              {words()}
            </p>
          )}
        </Show>
        <div class={styles["foot"]}>
          <Show when={enrolled() === null}>
            <button class="btn quiet" type="button" onClick={() => void signOut()}>
              Cancel sign-in
            </button>
          </Show>
          <button
            class="btn primary"
            type="submit"
            disabled={busy() || refusal.waits() > 0 || (enrolled() !== null && !stored())}
          >
            {face()}
          </button>
        </div>
      </form>
    </div>
  )
}
