/** Setting up an authenticator app: the picture to scan, the same to type, and a first code that shows that it works. */
import { Show, type JSX } from "solid-js"
import type { TotpStarted } from "#http/api/Factors.ts"
import { CopyButton } from "../kit/CopyButton.tsx"
import { Time } from "../kit/Time.tsx"
import { now } from "../kit/now.ts"
import { CodeField } from "./CodeField.tsx"
import { QrCode } from "./QrCode.tsx"
import styles from "./Factors.module.css"

/** In fours, as people type it. */
const inFours = (secret: string): string => secret.replace(/(.{4})(?=.)/g, "$1 ")

export const TotpFields = (props: {
  started: TotpStarted | undefined
  code: string
  onInput: (code: string) => void
  id: string
  faultId?: string | undefined
  ref?: (field: HTMLInputElement) => void
}): JSX.Element => (
  <div class={styles["totp"]}>
    <div class={styles["paper"]}>
      <Show when={props.started}>
        {(started) => <QrCode svg={started().qr_svg} label="QR code for the authenticator app" />}
      </Show>
    </div>
    <div class={styles["words"]}>
      <p>Scan the code with the app, or enter this key:</p>
      <div class={`code ${styles["key"]}`}>
        <span>{props.started === undefined ? "" : inFours(props.started.secret)}</span>
        <Show when={props.started}>{(started) => <CopyButton text={started().secret} label="Copy the key" />}</Show>
      </div>
      <CodeField
        id={props.id}
        kind="totp"
        label="Code from the app"
        hint={
          <>
            The clocks have to agree: this computer says <Time at={new Date(now()).toISOString()} as="moment" />.
          </>
        }
        value={props.code}
        onInput={props.onInput}
        faultId={props.faultId}
        ref={(field) => props.ref?.(field)}
      />
    </div>
  </div>
)
