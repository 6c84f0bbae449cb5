/** A dialog with one form: its fields, what went wrong, and the two ways out. */
import { createSignal, Show, type JSX } from "solid-js"
import { Dialog } from "./Dialog.tsx"
import { problemWords } from "./problemWords.ts"
import styles from "./FormDialog.module.css"

export const FormDialog = (props: {
  title: string
  /** What the button does, such as "Add group". */
  act: string
  danger?: boolean
  ready?: boolean
  size?: "small" | "wide"
  onClose: () => void
  /** Closes the dialog when it succeeds. */
  onSubmit: () => Promise<void>
  children: JSX.Element
}): JSX.Element => {
  const [busy, setBusy] = createSignal(false)
  const [fault, setFault] = createSignal<string | null>(null)
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    setBusy(true)
    setFault(null)
    try {
      await props.onSubmit()
      props.onClose()
    } catch (cause) {
      setFault(problemWords(cause))
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog open onClose={() => props.onClose()} title={props.title} size={props.size ?? "small"}>
      <form class={`form ${styles["form"]}`} onSubmit={(event) => void submit(event)}>
        {props.children}
        <Show when={fault()}>
          {(words) => (
            <p class="fault" role="alert">
              {words()}
            </p>
          )}
        </Show>
        <div class="actions end">
          <button class="btn" type="button" onClick={() => props.onClose()}>
            Cancel
          </button>
          <button
            class={props.danger === true ? "btn dangerfill" : "btn primary"}
            type="submit"
            disabled={busy() || props.ready === false}
          >
            {props.act}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
