/** Parts of a whole as one bar. Widths are SVG attributes; the same numbers stand in words beside it. */
import { For, type JSX } from "solid-js"
import { placeParts, type Part } from "./placeParts.ts"

export const StackedBar = (props: { parts: ReadonlyArray<Part>; height: number }): JSX.Element => (
  <svg
    class="bar seg"
    height={props.height}
    role="img"
    aria-label={props.parts.map(({ value, word }) => `${value} ${word}`).join(", ")}
  >
    <rect class="f-rest" x="0" y="-2" width="100%" height={props.height + 4} />
    <For each={placeParts(props.parts)}>
      {({ part, x, width }) => (
        <rect class={`f-${part.fill}`} x={`${x}%`} y="-2" width={`${width}%`} height={props.height + 4} />
      )}
    </For>
  </svg>
)

/** The pattern behind `hatch`; stands once in the document. */
export const Hatch = (): JSX.Element => (
  <svg class="sprite" aria-hidden="true">
    <defs>
      <pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="5" height="5" class="f-rest" stroke="none" />
        <rect width="2" height="5" class="f-idle" stroke="none" />
      </pattern>
    </defs>
  </svg>
)
