/** The bar above every page: where one is, search, running jobs, live or not, zone, look, account. */
import { A } from "@solidjs/router"
import { createMemo, lazy, Show, Suspense, type JSX } from "solid-js"
import { plural } from "../format/numbers.ts"
import { Icon } from "../kit/Icon.tsx"
import { leaf } from "./crumbs.ts"
import { LiveIndicator } from "./LiveIndicator.tsx"
import { isAt, places } from "./places.ts"
import { useFleet } from "./useFleet.ts"

const AccountMenus = lazy(() => import("./AccountMenus.tsx"))

export const TopBar = (props: { at: string; onMenu: () => void; onPalette: () => void }): JSX.Element => {
  const fleet = useFleet()
  const place = createMemo(() => places.find((one) => isAt(one, props.at)))
  return (
    <header class="topbar">
      <button class="iconbtn menu" type="button" aria-label="Open navigation" onClick={() => props.onMenu()}>
        <Icon name="menu" class="i20" />
      </button>
      <nav class="crumbs" aria-label="Breadcrumb">
        <ol>
          <Show when={place()}>
            {(here) => (
              <>
                <li>
                  <span>{here().group}</span>
                </li>
                <li>
                  <Icon name="right" />
                  <Show when={leaf() !== null} fallback={<span aria-current="page">{here().name}</span>}>
                    <A href={here().path}>{here().name}</A>
                  </Show>
                </li>
              </>
            )}
          </Show>
          <Show when={leaf()}>
            {(name) => (
              <li>
                <Show when={place()}>
                  <Icon name="right" />
                </Show>
                <span aria-current="page">{name()}</span>
              </li>
            )}
          </Show>
        </ol>
      </nav>
      <span class="gap" />
      <button class="find" type="button" onClick={() => props.onPalette()}>
        <Icon name="search" />
        <span>Go to host, job, page</span>
        <kbd>Ctrl K</kbd>
      </button>
      <Show when={(fleet.data?.jobs.running ?? 0) > 0}>
        <A class="chip" href="/jobs?state=running">
          <Icon name="sync" class="i14 run" />
          {plural(fleet.data?.jobs.running ?? 0, "job")} running
        </A>
      </Show>
      <LiveIndicator />
      <Suspense fallback={<span class="menusgap" />}>
        <AccountMenus />
      </Suspense>
    </header>
  )
}
