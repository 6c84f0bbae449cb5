/** A password that was just made up for somebody, shown this once; the manager keeps only its hash. */
import type { JSX } from "solid-js"
import { CopyButton } from "../kit/CopyButton.tsx"
import { Icon } from "../kit/Icon.tsx"
import styles from "./Users.module.css"

export const PasswordOnce = (props: { username: string; password: string; onDone: () => void }): JSX.Element => (
  <>
    <div class="banner">
      <Icon name="warning" />
      <p>This password is shown once and kept nowhere. Give it to {props.username} on a way you trust, not by mail.</p>
    </div>
    <div class={styles["once"]}>
      <span class="mono" data-testid="temporary-password">
        {props.password}
      </span>
      <CopyButton text={props.password} label="Copy password" words="Copy" />
    </div>
    <p class="muted">It is good for the next sign-in, where {props.username} has to choose a password of his own.</p>
    <div class="actions end">
      <button class="btn primary" type="button" onClick={() => props.onDone()}>
        I have passed it on
      </button>
    </div>
  </>
)
