/** A change that waits for its confirmation, with the seconds it has left. */
import { createSignal, onCleanup, Show, type JSX } from "solid-js"
import type { NetworkAccess } from "#core/AllowList.ts"
import { confirmNetwork } from "../api/network.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { may } from "../api/session.ts"
import { plural } from "../format/numbers.ts"
import { problemWords } from "../kit/problemWords.ts"
import { say } from "../kit/toasts.ts"
import styles from "./Network.module.css"

export const PendingChange = (props: {
  version: number
  pending: NonNullable<NetworkAccess["pending"]>
}): JSX.Element => {
  const left = (): number => Math.max(0, Math.ceil((Date.parse(props.pending.confirm_by) - Date.now()) / 1000))
  const [seconds, setSeconds] = createSignal(left())
  const [fault, setFault] = createSignal<string | null>(null)
  const [busy, setBusy] = createSignal(false)
  const again = (): void => void queryClient.invalidateQueries({ queryKey: keys.network })
  const ticking = setInterval(() => {
    setSeconds(left())
    if (left() === 0) again()
  }, 1000)
  onCleanup(() => clearInterval(ticking))

  const confirm = async (): Promise<void> => {
    setBusy(true)
    setFault(null)
    try {
      queryClient.setQueryData(keys.network, await confirmNetwork(props.version))
      say("Access confirmed")
    } catch (cause) {
      setFault(problemWords(cause))
      again()
    } finally {
      setBusy(false)
    }
  }

  return (
    <section class={`card ${styles["pending"]}`} aria-label="Unconfirmed change">
      <div>
        <b>{props.pending.changed_by} changed who may connect</b>
        <p class="muted">
          It is taken back in {plural(seconds(), "second")} unless somebody whom it lets in confirms it.
        </p>
        <Show when={fault()}>
          {(text) => (
            <p class="fault" role="alert">
              {text()}
            </p>
          )}
        </Show>
      </div>
      <Show when={may("network:change")}>
        <button class="btn primary" type="button" disabled={busy()} onClick={() => void confirm()}>
          Confirm access
        </button>
      </Show>
    </section>
  )
}
