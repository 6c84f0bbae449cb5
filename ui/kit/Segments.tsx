/** One choice of a few, as a row of buttons: which part of a list is shown. */
import { For, type JSX } from "solid-js"

export const Segments = <Name extends string>(props: {
  names: ReadonlyArray<Name>
  words: (name: Name) => string
  current: Name
  onPick: (name: Name) => void
  label?: string
}): JSX.Element => (
  <span class="seggroup" role="group" aria-label={props.label ?? "Show"}>
    <For each={props.names}>
      {(name) => (
        <button type="button" aria-pressed={props.current === name} onClick={() => props.onPick(name)}>
          {props.words(name)}
        </button>
      )}
    </For>
  </span>
)
