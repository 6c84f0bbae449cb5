/** What every page does when it opens: names itself in the title and puts the focus on its heading. */
import { createEffect, onMount, type Accessor } from "solid-js"

export const usePage = (title: Accessor<string>): { readonly ref: (heading: HTMLHeadingElement) => void } => {
  let heading: HTMLHeadingElement | undefined
  createEffect(() => {
    document.title = `${title()} · Linux Patch Manager`
  })
  onMount(() => {
    const active = document.activeElement
    if (active === null || active === document.body || active.closest("nav, header") !== null) {
      heading?.focus({ preventScroll: true })
    }
  })
  return {
    ref: (element) => {
      heading = element
      element.tabIndex = -1
    }
  }
}
