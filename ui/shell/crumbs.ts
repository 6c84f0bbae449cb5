/** The last word of the breadcrumb, said by the page that stands there: a host's name, a job's number. */
import { createSignal, onCleanup, createEffect, type Accessor } from "solid-js"

const [leaf, setLeaf] = createSignal<string | null>(null)
export { leaf }

export const useCrumb = (name: Accessor<string | undefined>): void => {
  createEffect(() => setLeaf(name() ?? null))
  onCleanup(() => setLeaf(null))
}
