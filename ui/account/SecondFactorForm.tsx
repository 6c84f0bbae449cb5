/** Gives a second factor: a code, a passkey or a recovery code, whichever the account has. */
import { createSignal, Match, onMount, Show, Switch, type JSX } from "solid-js"
import type { FactorKind } from "#core/Session.ts"
import { blocksPasskeys, type Refusal as PasskeyWhy } from "../api/passkeys.ts"
import { provePasskey, proveRecoveryCode, proveTotp } from "../api/session.ts"
import { Icon } from "../kit/Icon.tsx"
import { CodeField } from "./CodeField.tsx"
import { PasskeyRefusal } from "./PasskeyRefusal.tsx"
import { createRefusal, leftWords } from "./refusal.ts"
import { tidyCode } from "./tidyCode.ts"
import styles from "./Factors.module.css"

type Typed = "totp" | "recovery_code"

export const SecondFactorForm = (props: {
  factors: ReadonlyArray<FactorKind>
  /** What the button does, such as "Sign in". */
  act: string
  /** Kept apart where two forms may stand on one page. */
  id: string
  /** Makes the buttons as wide as the card. */
  wide?: boolean
  onProven?: () => void
  cancel: JSX.Element
}): JSX.Element => {
  const has = (kind: FactorKind): boolean => props.factors.includes(kind)
  const [recovering, setRecovering] = createSignal(false)
  const [code, setCode] = createSignal("")
  const [busy, setBusy] = createSignal(false)
  const [blocked, setBlocked] = createSignal<PasskeyWhy | null>(null)
  const refusal = createRefusal()
  let field: HTMLInputElement | undefined
  let passkeyButton: HTMLButtonElement | undefined

  /** What can be typed now; null where only a passkey is left. */
  const typed = (): Typed | null => (recovering() ? "recovery_code" : has("totp") ? "totp" : null)
  const focus = (): void => (field?.isConnected === true ? field : passkeyButton)?.focus()
  onMount(focus)

  const attempt = async (prove: () => Promise<void>): Promise<void> => {
    setBusy(true)
    refusal.clear()
    try {
      await prove()
      props.onProven?.()
    } catch (cause) {
      const why = blocksPasskeys(cause)
      if (why === null) refusal.say(cause)
      else setBlocked(why)
      setCode("")
      setBusy(false)
      focus()
    }
  }
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    if (busy() || refusal.waits() > 0) return
    const kind = typed()
    const given = code()
    if (kind === "totp") void attempt(() => proveTotp(tidyCode(given)))
    else if (kind === "recovery_code") void attempt(() => proveRecoveryCode(given.trim()))
  }
  const turn = (): void => {
    setRecovering(!recovering())
    setCode("")
    refusal.clear()
    queueMicrotask(focus)
  }
  const fault = (): string => `${props.id}-fault`
  return (
    <form
      class={`form ${styles["form"]}`}
      classList={{ [styles["wide"] ?? ""]: props.wide === true }}
      onSubmit={submit}
    >
      <Switch>
        <Match when={typed() === "totp"}>
          <CodeField
            id={`${props.id}-code`}
            kind="totp"
            value={code()}
            onInput={setCode}
            faultId={refusal.words() === null ? undefined : fault()}
            ref={(element) => (field = element)}
          />
        </Match>
        <Match when={typed() === "recovery_code"}>
          <CodeField
            id={`${props.id}-recovery`}
            kind="recovery_code"
            value={code()}
            onInput={setCode}
            faultId={refusal.words() === null ? undefined : fault()}
            ref={(element) => (field = element)}
          />
        </Match>
      </Switch>
      <Show when={refusal.words()}>
        {(words) => (
          <p class="fault" role="alert" id={fault()}>
            {words()}
          </p>
        )}
      </Show>
      <Show when={blocked()}>{(why) => <PasskeyRefusal why={why()} totp={has("totp")} />}</Show>
      <Show when={typed() !== null}>
        <button
          class="btn primary"
          classList={{ big: props.wide === true }}
          type="submit"
          disabled={busy() || refusal.waits() > 0}
        >
          {refusal.waits() > 0 ? `Try again in ${leftWords(refusal.waits())}` : props.act}
        </button>
      </Show>
      <Show when={has("passkey") && !recovering()}>
        <Show when={typed() !== null}>
          <p class={styles["or"]}>or</p>
        </Show>
        <button
          class="btn"
          classList={{ big: props.wide === true, primary: typed() === null }}
          type="button"
          ref={passkeyButton}
          disabled={busy()}
          onClick={() => void attempt(provePasskey)}
        >
          <Icon name="key" />
          Use a passkey
        </button>
      </Show>
      <div class={styles["foot"]}>
        {props.cancel}
        <Show when={has("recovery_code")}>
          <button class="btn quiet s" type="button" onClick={turn}>
            {recovering() ? "Back" : "Use a recovery code"}
          </button>
        </Show>
      </div>
    </form>
  )
}
