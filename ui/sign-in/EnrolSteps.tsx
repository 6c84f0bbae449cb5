/** The three steps to a first second factor, beside the form. */
import { For, Show, type JSX } from "solid-js"
import { Icon } from "../kit/Icon.tsx"
import styles from "./EnrolFactor.module.css"

const steps = [
  { name: "Password", words: "Accepted" },
  { name: "Second factor", words: "Required for every account" },
  { name: "Recovery codes", words: "Shown once" }
]

export const EnrolSteps = (props: {
  username: string
  /** Place of the step that is done now. */
  at: number
}): JSX.Element => (
  <aside class={styles["aside"]}>
    <Show when={props.username !== ""}>
      <div>
        <p class="muted sm">Signing in as</p>
        <p class="strong trunc">{props.username}</p>
      </div>
    </Show>
    <nav aria-label="Sign-in steps">
      <ol class={styles["steps"]}>
        <For each={steps}>
          {(step, place) => (
            <li
              classList={{ [styles["done"] ?? ""]: place() < props.at }}
              aria-current={place() === props.at ? "step" : undefined}
            >
              <span class={styles["no"]}>
                <Show when={place() < props.at} fallback={place() + 1}>
                  <Icon name="check" class="i14" />
                </Show>
              </span>
              <span>
                <b>{step.name}</b>
                <small>{step.words}</small>
              </span>
            </li>
          )}
        </For>
      </ol>
    </nav>
  </aside>
)
