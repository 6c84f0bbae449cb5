/** Copies a text and says so. */
import { createSignal, type JSX } from "solid-js"
import { Icon } from "./Icon.tsx"

export const CopyButton = (props: { text: string; label: string; words?: string }): JSX.Element => {
  const [done, setDone] = createSignal(false)
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(props.text)
    setDone(true)
    setTimeout(() => setDone(false), 1500)
  }
  return (
    <button
      class={props.words === undefined ? "iconbtn" : "btn s"}
      type="button"
      aria-label={done() ? "Copied" : props.label}
      title={props.label}
      onClick={() => void copy()}
    >
      <Icon name={done() ? "check" : "copy"} />
      {props.words === undefined ? null : done() ? "Copied" : props.words}
    </button>
  )
}
