/** Widths that change what is drawn, not only how. */
import { createRoot, createSignal, type Accessor } from "solid-js"

const watch = (query: string): Accessor<boolean> =>
  createRoot(() => {
    const list = matchMedia(query)
    const [matches, setMatches] = createSignal(list.matches)
    list.addEventListener("change", () => setMatches(list.matches))
    return matches
  })

export const isPhone = watch("(max-width: 767px)")
