/** All holds in sight: those that hold now, those that are over, for one host or one group. */
import { useSearchParams } from "@solidjs/router"
import { createSignal, lazy, Show, Suspense, type JSX } from "solid-js"
import { readGroup } from "../api/groups.ts"
import { listHolds } from "../api/holds.ts"
import { readHost } from "../api/hosts.ts"
import { keys } from "../api/keys.ts"
import { may } from "../api/session.ts"
import { useData, usePages } from "../api/useData.ts"
import { plural } from "../format/numbers.ts"
import { ListCard } from "../kit/ListCard.tsx"
import { Segments } from "../kit/Segments.tsx"
import { Icon } from "../kit/Icon.tsx"
import { usePage } from "../kit/usePage.ts"
import { HoldTable } from "./HoldTable.tsx"
import styles from "./Holds.module.css"

const HoldDialog = lazy(() => import("./HoldDialog.tsx"))

const filters = {
  now: { words: "Holding now", active: true },
  over: { words: "Over", active: false },
  all: { words: "All", active: undefined }
} as const

type Filter = keyof typeof filters
const names = Object.keys(filters) as ReadonlyArray<Filter>

export default function HoldsPage(): JSX.Element {
  const page = usePage(() => "Holds")
  const [parameters, setParameters] = useSearchParams<{ show?: string; host?: string; group?: string }>()
  const [adding, setAdding] = createSignal(false)
  const filter = (): Filter => names.find((name) => name === parameters.show) ?? "now"
  const narrowed = (): boolean => parameters.host !== undefined || parameters.group !== undefined
  const holds = usePages(() => ({
    queryKey: [...keys.holds, "list", filter(), parameters.host, parameters.group],
    queryFn: ({ pageParam, signal }) =>
      listHolds(
        {
          active: filters[filter()].active,
          host_id: parameters.host,
          group_id: parameters.group,
          cursor: pageParam,
          limit: 100
        },
        signal
      ),
    keepPrevious: true
  }))
  const host = useData(() => ({
    queryKey: keys.host(parameters.host ?? ""),
    queryFn: ({ signal }) => readHost(parameters.host ?? "", signal),
    enabled: parameters.host !== undefined
  }))
  const group = useData(() => ({
    queryKey: [...keys.group(parameters.group ?? ""), "detail"],
    queryFn: ({ signal }) => readGroup(parameters.group ?? "", signal),
    enabled: parameters.group !== undefined
  }))
  const show = (): void => setParameters({ host: undefined, group: undefined, show: undefined })
  return (
    <main class="main" id="main">
      <div class={`head ${styles["head"]}`}>
        <div>
          <h1 ref={page.ref}>Holds</h1>
          <p class="sub">
            <Show when={holds.data?.pages[0]} fallback={<>&nbsp;</>}>
              {(first) => plural(first().total, "hold")}
            </Show>
          </p>
        </div>
        <div class="actions">
          <Segments
            names={names}
            words={(name) => filters[name].words}
            current={filter()}
            onPick={(name) => setParameters({ show: name === "now" ? undefined : name })}
          />
          <Show when={may("holds:change")}>
            <button class="btn" type="button" onClick={() => setAdding(true)}>
              <Icon name="plus" />
              Hold packages
            </button>
          </Show>
        </div>
      </div>
      <Show when={narrowed()}>
        <div class={styles["tags"]}>
          <Show when={parameters.host}>
            <span class="tag">
              Reaching {host.data?.display_name ?? "one host"}
              <button
                type="button"
                aria-label="Remove the filter by host"
                onClick={() => setParameters({ host: undefined })}
              >
                <Icon name="close" />
              </button>
            </span>
          </Show>
          <Show when={parameters.group}>
            <span class="tag">
              On group {group.data?.name ?? ""}
              <button
                type="button"
                aria-label="Remove the filter by group"
                onClick={() => setParameters({ group: undefined })}
              >
                <Icon name="close" />
              </button>
            </span>
          </Show>
        </div>
      </Show>
      <ListCard
        what="Holds"
        query={holds}
        rows={6}
        more="Show earlier holds"
        empty={
          <>
            <Show
              when={filter() !== "now" || narrowed()}
              fallback={
                <>
                  <b>Nothing is held</b>
                  <p class="muted">
                    A hold keeps packages as they are on a host, a group or all hosts: every run leaves them out until
                    the hold ends.
                  </p>
                </>
              }
            >
              <b>No hold matches</b>
              <button class="btn" type="button" onClick={show}>
                Show what is held now
              </button>
            </Show>
          </>
        }
      >
        {(all) => <HoldTable holds={all()} label="Holds" />}
      </ListCard>
      <Suspense>
        <Show when={adding()}>
          <HoldDialog onClose={() => setAdding(false)} />
        </Show>
      </Suspense>
    </main>
  )
}
