/** "Test connection": every step with its result, and then the way to switch the provider on. */
import { createSignal, For, Match, onMount, Show, Switch, untrack, type JSX } from "solid-js"
import { type SsoProvider, type SsoTest, SsoTestStep } from "#core/Sso.ts"
import { testSsoProvider } from "../api/ssoProviders.ts"
import { CopyButton } from "../kit/CopyButton.tsx"
import { Dialog } from "../kit/Dialog.tsx"
import { problemWords } from "../kit/problemWords.ts"
import { State } from "../kit/State.tsx"
import { notePassed } from "./testedProviders.ts"
import { stepStates, stepWords, waiting } from "./ssoStates.ts"
import styles from "./Sso.module.css"

export default function TestDialog(props: {
  provider: SsoProvider
  onClose: () => void
  /** Takes this dialog's place. */
  onSwitchOn: () => void
}): JSX.Element {
  const provider = untrack(() => props.provider)
  const [done, setDone] = createSignal<SsoTest | null>(null)
  const [fault, setFault] = createSignal<string | null>(null)
  const [busy, setBusy] = createSignal(false)
  const run = async (): Promise<void> => {
    setBusy(true)
    setDone(null)
    setFault(null)
    try {
      const result = await testSsoProvider(provider.id)
      if (result.passed) notePassed(provider)
      setDone(result)
    } catch (cause) {
      setFault(problemWords(cause))
    } finally {
      setBusy(false)
    }
  }
  onMount(() => void run())
  const resultOf = (step: SsoTestStep) => done()?.steps.find((one) => one.step === step)
  return (
    <Dialog open onClose={() => props.onClose()} title={`Test connection to ${provider.name}`} size="wide">
      <p class="muted" role="status">
        <Switch>
          <Match when={busy()}>Trying. A provider that does not answer takes a few seconds.</Match>
          <Match when={done()?.passed}>The provider can be used. Nothing was changed.</Match>
          <Match when={done()}>The provider cannot be used like this. Nothing was changed.</Match>
        </Switch>
      </p>
      <ol class={styles["steps"]}>
        <For each={SsoTestStep.literals}>
          {(step) => (
            <li>
              <span>{stepWords[step]}</span>
              <Show
                when={resultOf(step)}
                fallback={
                  <Show when={busy()}>
                    <State of={waiting} />
                  </Show>
                }
              >
                {(result) => (
                  <>
                    <State of={stepStates[result().result]} />
                    <span class="muted">{result().message}</span>
                  </>
                )}
              </Show>
            </li>
          )}
        </For>
      </ol>
      <div class="field">
        <span class="lab">Redirect address to register at the provider</span>
        <span class={styles["uri"]}>
          <code>{provider.redirect_uri}</code>
          <CopyButton text={provider.redirect_uri} label="Copy redirect address" />
        </span>
      </div>
      <Show when={fault()}>
        {(words) => (
          <p class="fault" role="alert">
            {words()}
          </p>
        )}
      </Show>
      <div class="actions end">
        <button class="btn" type="button" onClick={() => props.onClose()}>
          Close
        </button>
        <button class="btn" type="button" disabled={busy()} onClick={() => void run()}>
          Test again
        </button>
        <Show when={!provider.enabled}>
          <button
            class="btn primary"
            type="button"
            disabled={done()?.passed !== true}
            onClick={() => props.onSwitchOn()}
          >
            Switch on…
          </button>
        </Show>
      </div>
    </Dialog>
  )
}
