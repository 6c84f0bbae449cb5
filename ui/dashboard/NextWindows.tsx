/** What opens next: the windows, their hosts, and whether they patch by themselves. */
import { A } from "@solidjs/router"
import { For, type JSX } from "solid-js"
import type { UpcomingOpening } from "#core/Window.ts"
import { keys } from "../api/keys.ts"
import { useData } from "../api/useData.ts"
import { listUpcoming } from "../api/windows.ts"
import { plural } from "../format/numbers.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { Time } from "../kit/Time.tsx"
import styles from "./NextWindows.module.css"

const SHOWN = 5
/** Openings follow from the clock: nobody tells the page that one has passed. */
const AGAIN_MS = 60_000

const does = (opening: UpcomingOpening): string =>
  opening.kind === "blackout" ? "blackout" : opening.automatic ? "patches by itself" : "only jobs that wait for it"

export const NextWindows = (): JSX.Element => {
  const openings = useData(() => ({
    queryKey: [...keys.windows, "upcoming", SHOWN],
    queryFn: ({ signal }) => listUpcoming(SHOWN, signal),
    refetchInterval: AGAIN_MS
  }))
  return (
    <section class="card" aria-labelledby="h-next-windows">
      <header>
        <h2 id="h-next-windows">Next windows</h2>
        <A href="/windows">All windows</A>
      </header>
      <DataArea
        query={openings}
        what="The next windows"
        rows={3}
        isEmpty={(page) => page.items.length === 0}
        empty={
          <div class="empty">
            <p class="muted">No window opens. Jobs that wait for one start only when a window covers their hosts.</p>
          </div>
        }
      >
        {(page) => (
          <ul class={styles["list"]}>
            <For each={page().items}>
              {(opening) => (
                <li>
                  <span class={styles["when"]}>
                    <Time at={opening.opens_at} />
                  </span>
                  <span class={styles["what"]}>
                    <A
                      class="strong trunc"
                      href={`/windows?q=${encodeURIComponent(opening.name)}`}
                      title={opening.scope_name === null ? "All hosts" : opening.scope_name}
                    >
                      {opening.name}
                    </A>
                    <span class="muted sm">
                      {plural(opening.hosts_total, "host")} · {does(opening)}
                    </span>
                  </span>
                </li>
              )}
            </For>
          </ul>
        )}
      </DataArea>
    </section>
  )
}
