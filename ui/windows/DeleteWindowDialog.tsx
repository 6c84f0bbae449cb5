/** Deletes a window, after saying what that means for its hosts. */
import { Show, type JSX } from "solid-js"
import type { WindowItem } from "#core/Window.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { deleteWindow } from "../api/windows.ts"
import { plural } from "../format/numbers.ts"
import { FormDialog } from "../kit/FormDialog.tsx"
import { say } from "../kit/toasts.ts"

export default function DeleteWindowDialog(props: { window: WindowItem; onClose: () => void }): JSX.Element {
  const submit = async (): Promise<void> => {
    await deleteWindow(props.window.id)
    say(`“${props.window.name}” deleted`)
    void queryClient.invalidateQueries({ queryKey: keys.windows })
  }
  const noun = (): string => (props.window.kind === "open" ? "window" : "blackout")
  return (
    <FormDialog
      title={`Delete ${noun()} “${props.window.name}”`}
      act={`Delete ${noun()}`}
      danger
      onClose={() => props.onClose()}
      onSubmit={submit}
    >
      <Show
        when={props.window.kind === "open"}
        fallback={
          <p class="muted">
            {plural(props.window.hosts_total, "host")} may be worked on in their windows again, at once where one is
            open.
          </p>
        }
      >
        <p class="muted">
          {plural(props.window.hosts_total, "host")} may lose the only time for maintenance they have; jobs that wait
          for it then go on waiting for another window. Packages that are being installed are finished, and jobs that it
          made stay in the list.
        </p>
      </Show>
      <p class="muted">The records of its openings go with it; the audit log keeps what was changed.</p>
    </FormDialog>
  )
}
