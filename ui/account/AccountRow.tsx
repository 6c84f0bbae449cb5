/** A row of the account page: what it is, what is to say of it, and what can be done with it. */
import type { JSX } from "solid-js"
import { Icon, type IconName } from "../kit/Icon.tsx"
import styles from "./Account.module.css"

export const AccountRow = (props: {
  icon: IconName
  name: JSX.Element
  words: JSX.Element
  children?: JSX.Element
}): JSX.Element => (
  <li class={styles["row"]}>
    <Icon name={props.icon} />
    <span class={styles["what"]}>
      <b class="trunc">{props.name}</b>
      <small>{props.words}</small>
    </span>
    {props.children}
  </li>
)
