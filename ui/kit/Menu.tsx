/** A button that opens a list of commands or choices. */
import * as DropdownMenu from "@kobalte/core/dropdown-menu"
import { For, Show, type JSX } from "solid-js"
import { Icon, type IconName } from "./Icon.tsx"
import styles from "./Menu.module.css"

export const Menu = (props: {
  label: string
  class: string
  face: JSX.Element
  children: JSX.Element
}): JSX.Element => {
  let trigger: HTMLButtonElement | undefined
  /** The list stands in the landmark of its button, so that screen readers meet it there. */
  const landmark = (): HTMLElement => trigger?.closest<HTMLElement>("header, main") ?? document.body
  return (
    <DropdownMenu.Root placement="bottom-end" gutter={4} modal={false}>
      <DropdownMenu.Trigger ref={trigger} class={props.class} aria-label={props.label}>
        {props.face}
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal mount={landmark()}>
        <DropdownMenu.Content class={`pop ${styles["pop"]}`}>{props.children}</DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}

export const MenuItem = (props: {
  icon?: IconName
  danger?: boolean
  disabled?: boolean
  onSelect: () => void
  children: JSX.Element
}): JSX.Element => (
  <DropdownMenu.Item
    class={styles["item"] ?? ""}
    classList={{ bad: props.danger === true }}
    disabled={props.disabled === true}
    onSelect={() => props.onSelect()}
  >
    <Show when={props.icon}>{(icon) => <Icon name={icon()} />}</Show>
    {props.children}
  </DropdownMenu.Item>
)

export const MenuSeparator = (): JSX.Element => <DropdownMenu.Separator class={styles["separator"]} />

export const MenuChoice = <A extends string>(props: {
  title: string
  value: A
  choices: ReadonlyArray<{ readonly value: A; readonly words: string }>
  onChoose: (value: A) => void
}): JSX.Element => (
  <DropdownMenu.RadioGroup value={props.value} onChange={(value) => props.onChoose(value as A)}>
    <DropdownMenu.GroupLabel class={styles["title"]}>{props.title}</DropdownMenu.GroupLabel>
    <For each={props.choices}>
      {(choice) => (
        <DropdownMenu.RadioItem class={styles["item"]} value={choice.value} closeOnSelect={false}>
          <span class={styles["mark"]}>
            <DropdownMenu.ItemIndicator>
              <Icon name="check" />
            </DropdownMenu.ItemIndicator>
          </span>
          {choice.words}
        </DropdownMenu.RadioItem>
      )}
    </For>
  </DropdownMenu.RadioGroup>
)
