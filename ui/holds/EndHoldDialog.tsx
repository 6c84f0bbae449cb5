/** Ends a hold: from then on the package may be changed again. */
import type { JSX } from "solid-js"
import type { Hold } from "#core/Hold.ts"
import { endHold } from "../api/holds.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { FormDialog } from "../kit/FormDialog.tsx"
import { say } from "../kit/toasts.ts"
import { holdPlace } from "./holdPlace.ts"

export default function EndHoldDialog(props: { hold: Hold; onClose: () => void }): JSX.Element {
  const submit = async (): Promise<void> => {
    await endHold(props.hold.id)
    say(`The hold on ${props.hold.pattern} has ended`)
    void queryClient.invalidateQueries({ queryKey: keys.holds })
  }
  return (
    <FormDialog
      title={`End the hold on ${props.hold.pattern}`}
      act="End hold"
      danger
      onClose={() => props.onClose()}
      onSubmit={submit}
    >
      <p class="muted">
        Held on {holdPlace(props.hold)} by {props.hold.created_by}: {props.hold.reason}
      </p>
      <p class="muted">The next run may install what was held back. The hold stays in the list as one that is over.</p>
    </FormDialog>
  )
}
