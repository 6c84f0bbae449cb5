/**
 * A dialog: names what it does, traps the focus, returns it. Kobalte's namespace import is deliberate:
 * importing its AlertDialog anywhere would change the role of every named-import Dialog.
 */
import * as KobalteDialog from "@kobalte/core/dialog"
import type { JSX } from "solid-js"
import styles from "./Dialog.module.css"

export const Dialog = (props: {
  open: boolean
  onClose: () => void
  title: string
  size?: "small" | "wide"
  /** Where the focus goes first; the first field or button otherwise. */
  focus?: () => HTMLElement | undefined
  /** Open until a button closes it: for what is shown only once. */
  keep?: boolean
  children: JSX.Element
}): JSX.Element => (
  <KobalteDialog.Root
    open={props.open}
    onOpenChange={(open) => {
      if (!open && props.keep !== true) props.onClose()
    }}
  >
    <KobalteDialog.Portal>
      <KobalteDialog.Overlay class={styles["overlay"]} />
      <div class={styles["place"]}>
        <KobalteDialog.Content
          class={`dialog ${styles["dialog"]}`}
          classList={{ [styles["wide"] ?? ""]: props.size === "wide" }}
          onOpenAutoFocus={(event) => {
            const first = props.focus?.()
            if (first === undefined) return
            event.preventDefault()
            first.focus()
          }}
          onInteractOutside={(event) => event.preventDefault()}
        >
          <KobalteDialog.Title as="h2" class={styles["title"]}>
            {props.title}
          </KobalteDialog.Title>
          {props.children}
        </KobalteDialog.Content>
      </div>
    </KobalteDialog.Portal>
  </KobalteDialog.Root>
)
