/** Recovery codes in a dialog that closes only when they are stored. */
import { createSignal, type JSX } from "solid-js"
import { RecoveryCodes } from "./RecoveryCodes.tsx"

export const CodesShownOnce = (props: { codes: ReadonlyArray<string>; onClose: () => void }): JSX.Element => {
  const [stored, setStored] = createSignal(false)
  return (
    <>
      <RecoveryCodes codes={props.codes} onStored={setStored} />
      <div class="actions end">
        <button class="btn primary" type="button" disabled={!stored()} onClick={() => props.onClose()}>
          Done
        </button>
      </div>
    </>
  )
}
