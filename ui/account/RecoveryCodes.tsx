/** Recovery codes, shown once: kept, printed or copied before anything goes on. */
import { createSignal, For, type JSX } from "solid-js"
import { user } from "../api/session.ts"
import { CopyButton } from "../kit/CopyButton.tsx"
import { download } from "../kit/download.ts"
import { Icon } from "../kit/Icon.tsx"
import { printText } from "./printText.ts"
import styles from "./Factors.module.css"

export const RecoveryCodes = (props: {
  codes: ReadonlyArray<string>
  username?: string | undefined
  onStored: (stored: boolean) => void
}): JSX.Element => {
  const [stored, setStored] = createSignal(false)
  const text = (): string =>
    [
      `Recovery codes of ${props.username ?? user()?.username ?? "your account"} at ${location.host}`,
      `Made ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC. Each counts once, instead of a code or a passkey.`,
      "",
      ...props.codes,
      ""
    ].join("\n")
  return (
    <>
      <p>
        Each of these codes opens your account once, together with your password, when your second factor is lost. They
        are shown this once: store them where you find them without this computer.
      </p>
      <ol class={styles["codes"]} aria-label="Recovery codes">
        <For each={props.codes}>{(code) => <li>{code}</li>}</For>
      </ol>
      <div class={`actions ${styles["tools"]}`}>
        <CopyButton text={text()} label="Copy the recovery codes" words="Copy" />
        <button class="btn s" type="button" onClick={() => download("recovery-codes.txt", text(), "text/plain")}>
          <Icon name="download" />
          Download
        </button>
        <button class="btn s" type="button" onClick={() => printText("Recovery codes", text())}>
          <Icon name="print" />
          Print
        </button>
      </div>
      <label class={styles["stored"]}>
        <input
          class="ck"
          type="checkbox"
          checked={stored()}
          onChange={(event) => {
            setStored(event.currentTarget.checked)
            props.onStored(event.currentTarget.checked)
          }}
        />
        I have stored them
      </label>
    </>
  )
}
