/** A QR code, drawn anew from the path of the picture that came: nothing else of it reaches the page. */
import { createMemo, Show, type JSX } from "solid-js"

interface Picture {
  readonly box: string
  readonly path: string
}

/** Null for what is no picture of one square and one path. */
export const readQr = (text: string): Picture | null => {
  const root = new DOMParser().parseFromString(text, "image/svg+xml").documentElement
  const box = root.getAttribute("viewBox") ?? ""
  const path = root.querySelector("path")?.getAttribute("d") ?? ""
  return /^0 0 \d{1,5} \d{1,5}$/.test(box) && /^[MmHhVvLlZz\d\s,.-]+$/.test(path) ? { box, path } : null
}

export const QrCode = (props: { svg: string; label: string; class?: string | undefined }): JSX.Element => {
  const picture = createMemo(() => readQr(props.svg))
  return (
    <Show when={picture()}>
      {(drawn) => (
        <svg class={props.class} viewBox={drawn().box} role="img" aria-label={props.label} shape-rendering="crispEdges">
          <path d={drawn().path} />
        </svg>
      )}
    </Show>
  )
}
