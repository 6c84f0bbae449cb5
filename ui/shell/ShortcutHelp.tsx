/** The list of keys. */
import { For, type JSX } from "solid-js"
import { Dialog } from "../kit/Dialog.tsx"
import styles from "./ShortcutHelp.module.css"

const shortcuts: ReadonlyArray<readonly [keys: ReadonlyArray<string>, words: string]> = [
  [["Ctrl", "K"], "Go to a host, job or page"],
  [["/"], "Search on this page"],
  [["g", "d"], "Dashboard"],
  [["g", "h"], "Hosts"],
  [["g", "j"], "Jobs"],
  [["j"], "Next row"],
  [["k"], "Previous row"],
  [["x"], "Select the row"],
  [["Enter"], "Open the row"],
  [["Esc"], "Clear the selection, close"],
  [["?"], "This list"]
]

export default function ShortcutHelp(props: { onClose: () => void }): JSX.Element {
  let close: HTMLButtonElement | undefined
  return (
    <Dialog open onClose={() => props.onClose()} title="Keyboard shortcuts" focus={() => close}>
      <dl class={styles["list"]}>
        <For each={shortcuts}>
          {([keys, words]) => (
            <>
              <dt>
                <For each={keys}>{(key) => <kbd>{key}</kbd>}</For>
              </dt>
              <dd>{words}</dd>
            </>
          )}
        </For>
      </dl>
      <p class="muted sm">Single keys can be switched off in the theme menu.</p>
      <div class="actions end">
        <button class="btn" type="button" ref={close} onClick={() => props.onClose()}>
          Close
        </button>
      </div>
    </Dialog>
  )
}
