/** Which rows of a long list stand in view, for rows of one height in a container that scrolls. */
import { createMemo, createSignal, onCleanup, type Accessor } from "solid-js"

const BEYOND = 8

export interface ListWindow {
  readonly first: Accessor<number>
  /** One past the last. */
  readonly end: Accessor<number>
  /** Pixels above the first row, below the last one. */
  readonly above: Accessor<number>
  readonly below: Accessor<number>
  readonly attach: (container: HTMLElement) => void
  readonly reveal: (index: number) => void
}

/** First and end of what is drawn: what is in view and a few rows beyond, in steps so that scrolling redraws seldom. */
export const rowsInView = (
  scrolled: number,
  height: number,
  row: number,
  total: number
): { readonly first: number; readonly end: number } => {
  const first = Math.max(0, Math.floor(scrolled / row) - BEYOND)
  const stepped = first - (first % 4)
  const end = Math.min(total, Math.ceil((scrolled + height) / row) + BEYOND)
  return { first: Math.min(stepped, Math.max(0, total - 1)), end }
}

export const createWindow = (total: Accessor<number>, row: Accessor<number>, head: Accessor<number>): ListWindow => {
  const [scrolled, setScrolled] = createSignal(0)
  const [height, setHeight] = createSignal(0)
  let container: HTMLElement | undefined
  const range = createMemo(() => rowsInView(scrolled(), height(), row(), total()), undefined, {
    equals: (a, b) => a.first === b.first && a.end === b.end
  })
  return {
    first: () => range().first,
    end: () => range().end,
    above: () => range().first * row(),
    below: () => Math.max(0, total() - range().end) * row(),
    attach: (element) => {
      container = element
      const onScroll = (): void => void setScrolled(element.scrollTop)
      const observer = new ResizeObserver(() => setHeight(element.clientHeight))
      element.addEventListener("scroll", onScroll, { passive: true })
      observer.observe(element)
      onCleanup(() => {
        element.removeEventListener("scroll", onScroll)
        observer.disconnect()
      })
    },
    reveal: (index) => {
      if (container === undefined) return
      const top = index * row()
      const space = container.clientHeight - head()
      if (top < container.scrollTop) container.scrollTop = top
      else if (top + row() > container.scrollTop + space) container.scrollTop = top + row() - space
    }
  }
}
