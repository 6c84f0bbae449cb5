/** All maintenance windows and blackouts in sight; the filters stand in the address. */
import { A, useSearchParams } from "@solidjs/router"
import { createSignal, lazy, Show, Suspense, type JSX } from "solid-js"
import { keys } from "../api/keys.ts"
import { may } from "../api/session.ts"
import { usePages } from "../api/useData.ts"
import { listWindows } from "../api/windows.ts"
import { plural } from "../format/numbers.ts"
import { ListCard } from "../kit/ListCard.tsx"
import { Segments } from "../kit/Segments.tsx"
import { Icon } from "../kit/Icon.tsx"
import { SearchField } from "../kit/SearchField.tsx"
import { usePage } from "../kit/usePage.ts"
import { WindowTable } from "./WindowTable.tsx"
import styles from "./Windows.module.css"

const WindowDialog = lazy(() => import("./WindowDialog.tsx"))

const filters = {
  all: { words: "All", kind: undefined },
  open: { words: "Windows", kind: "open" },
  blackout: { words: "Blackouts", kind: "blackout" }
} as const

type Filter = keyof typeof filters
const names = Object.keys(filters) as ReadonlyArray<Filter>

export default function WindowsPage(): JSX.Element {
  const page = usePage(() => "Maintenance windows")
  const [parameters, setParameters] = useSearchParams<{ show?: string; q?: string }>()
  const [adding, setAdding] = createSignal(false)
  const filter = (): Filter => names.find((name) => name === parameters.show) ?? "all"
  const q = (): string => parameters.q ?? ""
  const narrowed = (): boolean => filter() !== "all" || q() !== ""
  const windows = usePages(() => ({
    queryKey: [...keys.windows, "list", filter(), q()],
    queryFn: ({ pageParam, signal }) =>
      listWindows({ kind: filters[filter()].kind, q: q() || undefined, cursor: pageParam, limit: 100 }, signal),
    staleTime: 15_000,
    keepPrevious: true
  }))
  return (
    <main class="main" id="main">
      <div class={`head ${styles["head"]}`}>
        <div>
          <h1 ref={page.ref}>Maintenance windows</h1>
          <p class="sub">
            <Show when={windows.data?.pages[0]} fallback={<>&nbsp;</>}>
              {(first) => plural(first().total, filter() === "blackout" ? "blackout" : "window")}
            </Show>
          </p>
        </div>
        <div class="actions">
          <A class="btn" href="/windows/simulate">
            <Icon name="calendar" />
            Simulate
          </A>
          <Show when={may("windows:change")}>
            <button class="btn primary" type="button" onClick={() => setAdding(true)}>
              <Icon name="plus" />
              Add window
            </button>
          </Show>
        </div>
      </div>
      <div class={styles["filters"]}>
        <SearchField
          label="Find windows by name, host or group"
          placeholder="Name, host or group"
          value={q()}
          onInput={(text) => setParameters({ q: text || undefined }, { replace: true })}
        />
        <Segments
          names={names}
          words={(name) => filters[name].words}
          current={filter()}
          onPick={(name) => setParameters({ show: name === "all" ? undefined : name })}
        />
      </div>
      <ListCard
        what="Maintenance windows"
        query={windows}
        rows={6}
        more="Show more"
        empty={
          <>
            <Show
              when={narrowed()}
              fallback={
                <>
                  <b>No maintenance windows yet</b>
                  <p class="muted">
                    A window says when the hosts of a group may be worked on. Jobs wait for it, and it can patch by
                    itself when it opens.
                  </p>
                  <Show when={may("windows:change")}>
                    <div class="actions">
                      <button class="btn primary" type="button" onClick={() => setAdding(true)}>
                        Add the first window
                      </button>
                    </div>
                  </Show>
                </>
              }
            >
              <b>No window matches</b>
              <div class="actions">
                <button class="btn" type="button" onClick={() => setParameters({ q: undefined, show: undefined })}>
                  Show all windows
                </button>
              </div>
            </Show>
          </>
        }
      >
        {(all) => <WindowTable windows={all()} />}
      </ListCard>
      <Suspense>
        <Show when={adding()}>
          <WindowDialog onClose={() => setAdding(false)} />
        </Show>
      </Suspense>
    </main>
  )
}
