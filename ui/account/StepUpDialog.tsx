/** Asks who is there before accounts or trust are changed; see `withStepUp`. */
import { createSignal, For, onCleanup, type JSX } from "solid-js"
import type { FactorKind } from "#core/Session.ts"
import type { Me } from "#http/api/Auth.ts"
import { getJson } from "../api/client.ts"
import { keys } from "../api/keys.ts"
import type { StepUp } from "../api/stepUp.ts"
import { useData } from "../api/useData.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { Dialog } from "../kit/Dialog.tsx"
import { SecondFactorForm } from "./SecondFactorForm.tsx"

export default function StepUpDialog(props: { asked: StepUp }): JSX.Element {
  const [open, setOpen] = createSignal(true)
  const me = useData(() => ({
    queryKey: keys.me,
    queryFn: ({ signal }) => getJson<Me>("/api/v1/auth/me", { signal }),
    staleTime: 0
  }))
  const giveUp = (): void => {
    setOpen(false)
    props.asked.given_up()
  }
  // The page may go while the dialog stands, as when the session ends.
  onCleanup(() => props.asked.given_up())
  const cancel = (): JSX.Element => (
    <button class="btn quiet s" type="button" onClick={giveUp}>
      Cancel
    </button>
  )
  return (
    <Dialog open={open()} onClose={giveUp} title="Confirm that it is you" size="small">
      <p class="muted">This changes accounts or trust. Give a second factor once more; it counts for five minutes.</p>
      <DataArea query={me} what="Your second factors" rows={2}>
        {(data) => (
          <For each={[data().factors]}>
            {(factors: ReadonlyArray<FactorKind>) => (
              <SecondFactorForm
                factors={factors}
                act="Confirm"
                id="step-up"
                onProven={() => props.asked.proven()}
                cancel={cancel()}
              />
            )}
          </For>
        )}
      </DataArea>
    </Dialog>
  )
}
