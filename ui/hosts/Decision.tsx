/** A host that waits for a person: what happened, and what can be decided, with what each decision means. */
import { createSignal, For, Show, type JSX } from "solid-js"
import type { HostDetail } from "#core/Host.ts"
import { dismissHost, retryHost, settleHost } from "../api/hosts.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { may } from "../api/session.ts"
import { Dialog } from "../kit/Dialog.tsx"
import { Icon, type IconName } from "../kit/Icon.tsx"
import { say, sayFailed } from "../kit/toasts.ts"
import styles from "./Decision.module.css"

interface Choice {
  readonly button: string
  readonly title: string
  readonly words: string
  readonly done: string
  readonly not: string
  readonly run: (id: string) => Promise<void>
}

const retry: Choice = {
  button: "Retry now",
  title: "Retry the order now",
  words: "The manager stops waiting and tries again at once. It asks the host first, so nothing is applied twice.",
  done: "The order is tried again",
  not: "The order was not retried",
  run: retryHost
}

const askAgain: Choice = {
  button: "Ask again",
  title: "Ask the host again",
  words: "The manager asks the host what became of the order. Nothing is sent to it.",
  done: "The host is asked again",
  not: "The host was not asked again",
  run: retryHost
}

const dismiss: Choice = {
  button: "Dismiss failure…",
  title: "Dismiss the failure",
  words:
    "The host goes back to “nothing to do” and takes new orders. The failure stays in its timeline and in the job. Nothing is sent to the host.",
  done: "The failure is dismissed",
  not: "The failure was not dismissed",
  run: dismissHost
}

const settleDone: Choice = {
  button: "Settle as done…",
  title: "Settle by hand as done",
  words:
    "Choose this if you looked at the host and the updates are installed. The job counts it as done on your word; your name stands in the audit log.",
  done: "Settled as done",
  not: "The order was not settled",
  run: (id) => settleHost(id, "done")
}

const settleNot: Choice = {
  button: "Settle as not effective…",
  title: "Settle by hand as not effective",
  words:
    "Choose this if you looked at the host and the updates are not installed. The job counts it as failed; the host takes new orders again.",
  done: "Settled as not effective",
  not: "The order was not settled",
  run: (id) => settleHost(id, "not_effective")
}

interface Waiting {
  readonly icon: IconName
  readonly tone: "bad" | "warn"
  readonly words: string
  readonly choices: ReadonlyArray<Choice>
}

const waitingFor = (host: HostDetail): Waiting | null => {
  switch (host.work) {
    case "failed":
      return {
        icon: "failed",
        tone: "bad",
        words: "The last order failed and is not tried again by itself. The timeline and the job say why.",
        choices: [dismiss]
      }
    case "unresolved":
      return {
        icon: "decision",
        tone: "warn",
        words:
          "It is not known whether the last order took effect: the host could not be asked for a day. Look at the host, then decide.",
        choices: [askAgain, settleDone, settleNot]
      }
    case "retrying":
      return {
        icon: "undo",
        tone: "warn",
        words: "The last try did not succeed. It is tried again by itself.",
        choices: [retry]
      }
    default:
      return null
  }
}

export const Decision = (props: { host: HostDetail }): JSX.Element => {
  const [asked, setAsked] = createSignal<Choice | null>(null)
  const [busy, setBusy] = createSignal(false)
  let cancel: HTMLButtonElement | undefined
  const decide = async (choice: Choice): Promise<void> => {
    setBusy(true)
    try {
      await choice.run(props.host.id)
      say(choice.done)
      setAsked(null)
      void queryClient.invalidateQueries({ queryKey: keys.host(props.host.id) })
    } catch (cause) {
      sayFailed(choice.not, cause)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Show when={waitingFor(props.host)}>
      {(waiting) => (
        <div
          class={styles["band"]}
          classList={{ [styles["bad"] ?? ""]: waiting().tone === "bad" }}
          role="region"
          aria-label="Decision"
        >
          <Icon name={waiting().icon} class={waiting().tone} />
          <p>{waiting().words}</p>
          <Show when={may("hosts:decide")}>
            <div class="actions">
              <For each={waiting().choices}>
                {(choice) => (
                  <button
                    class="btn s"
                    type="button"
                    disabled={busy()}
                    onClick={() => (choice.button.endsWith("…") ? setAsked(choice) : void decide(choice))}
                  >
                    {choice.button}
                  </button>
                )}
              </For>
            </div>
          </Show>
          <Show when={asked()}>
            {(choice) => (
              <Dialog
                open
                onClose={() => setAsked(null)}
                title={`${choice().title} on ${props.host.display_name}`}
                focus={() => cancel}
              >
                <p class="muted">{choice().words}</p>
                <div class="actions end">
                  <button class="btn" type="button" ref={cancel} onClick={() => setAsked(null)}>
                    Cancel
                  </button>
                  <button class="btn primary" type="button" disabled={busy()} onClick={() => void decide(choice())}>
                    {choice().button.replace("…", "")}
                  </button>
                </div>
              </Dialog>
            )}
          </Show>
        </div>
      )}
    </Show>
  )
}
