/** Keys that work everywhere: Ctrl+K, `/`, `g h`, `g j`, `g d`, `?`. Single keys can be switched off. */
import { useNavigate } from "@solidjs/router"
import { onCleanup, onMount } from "solid-js"
import { preferences } from "./preferences.ts"

const SEQUENCE_MS = 1_200

/** In a field or a dialog a letter is a letter. */
export const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]") !== null ||
    target.closest("[role=dialog], [role=menu]") !== null)

export const useShortcuts = (options: { onPalette: () => void; onHelp: () => void }): void => {
  const navigate = useNavigate()
  let pressedG = -Infinity
  const go: Readonly<Record<string, string>> = { h: "/hosts", j: "/jobs", d: "/" }
  const onKey = (event: KeyboardEvent): void => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault()
      options.onPalette()
      return
    }
    if (event.ctrlKey || event.metaKey || event.altKey || preferences.keys === "off" || isTyping(event.target)) return
    const path = go[event.key]
    if (path !== undefined && performance.now() - pressedG < SEQUENCE_MS) {
      pressedG = -Infinity
      event.preventDefault()
      navigate(path)
    } else if (event.key === "g") {
      pressedG = performance.now()
    } else if (event.key === "/") {
      event.preventDefault()
      const field = document.querySelector<HTMLInputElement>("main [data-search]")
      if (field === null) options.onPalette()
      else field.focus()
    } else if (event.key === "?") {
      event.preventDefault()
      options.onHelp()
    }
  }
  onMount(() => addEventListener("keydown", onKey))
  onCleanup(() => removeEventListener("keydown", onKey))
}
