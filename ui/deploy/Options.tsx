/** One of a few, each with what it means. */
import { For, Show, type JSX } from "solid-js"
import styles from "./DeployPage.module.css"

export interface OptionChoice<A extends string> {
  readonly value: A
  readonly words: string
  readonly hint?: string
}

export const Options = <A extends string>(props: {
  name: string
  label: string
  options: ReadonlyArray<OptionChoice<A>>
  value: A
  onChange: (value: A) => void
}): JSX.Element => (
  <fieldset class={styles["options"]}>
    <legend class="lab">{props.label}</legend>
    <For each={props.options}>
      {(option) => (
        <label class={styles["option"]}>
          <input
            class="rd"
            type="radio"
            name={props.name}
            checked={props.value === option.value}
            onChange={() => props.onChange(option.value)}
          />
          <span>{option.words}</span>
          <Show when={option.hint}>
            <small>{option.hint}</small>
          </Show>
        </label>
      )}
    </For>
  </fieldset>
)

export const Check = (props: {
  label: string
  hint?: string
  checked: boolean
  onChange: (checked: boolean) => void
}): JSX.Element => (
  <label class={styles["option"]}>
    <input
      class="ck"
      type="checkbox"
      checked={props.checked}
      onChange={(event) => props.onChange(event.currentTarget.checked)}
    />
    <span>{props.label}</span>
    <Show when={props.hint}>
      <small>{props.hint}</small>
    </Show>
  </label>
)
