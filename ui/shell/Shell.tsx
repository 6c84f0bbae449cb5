/** What stands around every page: rail, top bar, banner, and on phones the tab bar. */
import { useLocation, type RouteSectionProps } from "@solidjs/router"
import { createSignal, lazy, onCleanup, onMount, Show, Suspense, type JSX } from "solid-js"
import { Banner } from "./Banner.tsx"
import { Rail, TabBar } from "./Rail.tsx"
import { TopBar } from "./TopBar.tsx"
import { useShortcuts } from "./useShortcuts.ts"

const Palette = lazy(() => import("./Palette.tsx"))
const ShortcutHelp = lazy(() => import("./ShortcutHelp.tsx"))

export const Shell = (props: RouteSectionProps): JSX.Element => {
  const [palette, setPalette] = createSignal(false)
  const [help, setHelp] = createSignal(false)
  const [rail, setRail] = createSignal(false)
  const location = useLocation()
  useShortcuts({ onPalette: () => setPalette(true), onHelp: () => setHelp(true) })
  const close = (event: KeyboardEvent): void => {
    if (event.key === "Escape") setRail(false)
  }
  onMount(() => addEventListener("keydown", close))
  onCleanup(() => removeEventListener("keydown", close))
  return (
    <div class="shell">
      <a class="skip" href="#main">
        Skip to content
      </a>
      <Rail at={location.pathname} open={rail()} onClose={() => setRail(false)} />
      <div class="col">
        <TopBar at={location.pathname} onMenu={() => setRail(true)} onPalette={() => setPalette(true)} />
        <Banner />
        <Suspense>{props.children}</Suspense>
      </div>
      <TabBar at={location.pathname} />
      <Suspense>
        <Show when={palette()}>
          <Palette onClose={() => setPalette(false)} />
        </Show>
        <Show when={help()}>
          <ShortcutHelp onClose={() => setHelp(false)} />
        </Show>
      </Suspense>
    </div>
  )
}
