/** Where toasts stand; a polite live region outside of any list. */
import { For, Show, type JSX } from "solid-js"
import { CopyButton } from "./CopyButton.tsx"
import { Icon } from "./Icon.tsx"
import { dismissToast, toasts } from "./toasts.ts"
import styles from "./Toasts.module.css"

export const Toasts = (): JSX.Element => (
  <div class={styles["region"]} role="status" aria-live="polite">
    <For each={toasts()}>
      {(toast) => (
        <div class="toast">
          <Icon name={toast.tone === "ok" ? "check" : "failed"} class={toast.tone} />
          <span>{toast.words}</span>
          <Show when={toast.request_id}>{(id) => <CopyButton text={id()} label="Copy request id" />}</Show>
          <button class="iconbtn" type="button" aria-label="Dismiss" onClick={() => dismissToast(toast.id)}>
            <Icon name="close" />
          </button>
        </div>
      )}
    </For>
  </div>
)
