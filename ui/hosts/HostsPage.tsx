/** All hosts: filter and order in the address, live cells, selection, and what can be done with the chosen ones. */
import { A, useNavigate, useSearchParams } from "@solidjs/router"
import {
  createEffect,
  createMemo,
  createSignal,
  lazy,
  on,
  onCleanup,
  onMount,
  Show,
  Suspense,
  untrack,
  type JSX
} from "solid-js"
import type { HostItem } from "#core/Host.ts"
import { keys } from "../api/keys.ts"
import { listAllHosts, listHosts } from "../api/hosts.ts"
import { may } from "../api/session.ts"
import { queryString } from "../api/client.ts"
import { usePages } from "../api/useData.ts"
import { count } from "../format/numbers.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { Icon } from "../kit/Icon.tsx"
import { sayFailed } from "../kit/toasts.ts"
import { usePage } from "../kit/usePage.ts"
import { hasMoved } from "../live/liveHosts.ts"
import { useFleet } from "../shell/useFleet.ts"
import { Facets } from "./Facets.tsx"
import { FilterBar } from "./FilterBar.tsx"
import { filterTags, hostFilter, readHostQuery, writeHostQuery, type HostQuery } from "./hostQuery.ts"
import { HostsEmpty, HostsNoMatch } from "./HostsEmpty.tsx"
import { HostGrid, type HostRow } from "./HostGrid.tsx"
import { refreshHosts } from "./refreshHosts.ts"
import { isSelected, nothing, sizeOf, type Selection } from "./selection.ts"
import { SelectionBar } from "./SelectionBar.tsx"
import styles from "./HostsPage.module.css"

const AddHostDialog = lazy(() => import("./AddHostDialog.tsx"))
const ApplyDialog = lazy(() => import("../jobs/ApplyDialog.tsx"))

const PAGE = 250
const ORDER_AGAIN_MS = 2_000

export default function HostsPage(): JSX.Element {
  const page = usePage(() => "Hosts")
  const navigate = useNavigate()
  const fleet = useFleet()
  const [parameters, setParameters] = useSearchParams()
  const query = createMemo(() => readHostQuery(parameters))
  const change = (part: Partial<HostQuery>): void => setParameters(writeHostQuery(part), { replace: true })
  const clear = (): void =>
    change({
      q: undefined,
      status: undefined,
      os: undefined,
      group: undefined,
      pending: undefined,
      reboot_needed: undefined
    })

  const list = usePages(() => ({
    queryKey: [...keys.hosts, query()],
    queryFn: ({ pageParam, signal }) => listHosts({ ...query(), cursor: pageParam, limit: PAGE }, signal),
    keepPrevious: true
  }))
  const rows = createMemo((): ReadonlyArray<HostRow> =>
    (list.data?.pages ?? []).flatMap(({ items, asked_at }) => items.map((item) => ({ item, asked_at })))
  )
  const total = (): number => list.data?.pages[0]?.total ?? 0

  const [selection, setSelection] = createSignal<Selection>(nothing)
  createEffect(
    on(
      () => JSON.stringify(hostFilter(query())),
      () => setSelection(nothing),
      { defer: true }
    )
  )
  const chosen = createMemo(() => sizeOf(selection(), total()))

  const [moved, setMoved] = createSignal(0)
  const [busy, setBusy] = createSignal(false)
  const orderAgain = (): void => {
    setMoved(0)
    void list.refetch()
  }
  /** Rows never jump under the pointer, under the focus or while a selection exists. */
  const watchOrder = setInterval(() => {
    if (list.isFetching) return
    const changed = untrack(() => rows().filter(({ item, asked_at }) => hasMoved(item, asked_at)).length)
    setMoved(changed)
    if (changed > 0 && !busy() && chosen() === 0) orderAgain()
  }, ORDER_AGAIN_MS)
  onCleanup(() => clearInterval(watchOrder))
  createEffect(
    on(
      () => fleet.data?.hosts_total,
      () => void list.refetch(),
      { defer: true }
    )
  )

  const [filters, setFilters] = createSignal(false)
  const adding = (): boolean => parameters["add"] !== undefined
  const [applying, setApplying] = createSignal<ReadonlyArray<HostItem> | null>(null)
  const resolve = async (): Promise<ReadonlyArray<HostItem>> => {
    const now = selection()
    const all = now.kind === "some" ? rows().map(({ item }) => item) : await listAllHosts(hostFilter(query()))
    return all.filter(({ id }) => isSelected(now, id))
  }
  const apply = async (): Promise<void> => {
    try {
      setApplying(await resolve())
    } catch (cause) {
      sayFailed("The chosen hosts could not be read", cause)
    }
  }
  /** A whole match goes as its filter, which the server resolves when the job is made. */
  const deploy = (): void => {
    const now = selection()
    if (now.kind === "all" && chosen() === total())
      navigate(`/deploy${queryString({ match: "all", ...writeHostQuery(query()) })}`)
    else
      void resolve().then(
        (hosts) => navigate("/deploy", { state: { host_ids: hosts.map(({ id }) => id) } }),
        (cause: unknown) => sayFailed("The chosen hosts could not be read", cause)
      )
  }
  const refresh = async (): Promise<void> => refreshHosts(await resolve())
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && chosen() > 0 && document.querySelector("[role=dialog]") === null)
      setSelection(nothing)
  }
  onMount(() => addEventListener("keydown", onKey))
  onCleanup(() => removeEventListener("keydown", onKey))

  return (
    <main class={`main ${styles["hosts"]}`} id="main">
      <div class={`head ${styles["head"]}`}>
        <div>
          <h1 ref={page.ref}>Hosts</h1>
          <p class="sub">
            <Show when={fleet.data} fallback={count(total())}>
              {(numbers) => (
                <>
                  {total() === numbers().hosts_total
                    ? count(total())
                    : `${count(total())} of ${count(numbers().hosts_total)}`}
                </>
              )}
            </Show>
          </p>
        </div>
        <div class="actions">
          <Show when={may("discovery:run")}>
            <A class="btn quiet" href="/discovery">
              <Icon name="search" />
              Discover hosts
            </A>
          </Show>
          <Show when={may("hosts:create")}>
            <button class="btn" type="button" onClick={() => setParameters({ add: "host" })}>
              <Icon name="plus" />
              Add host
            </button>
          </Show>
        </div>
      </div>
      <div class={styles["grid"]}>
        <Facets query={query()} onChange={change} open={filters()} onClose={() => setFilters(false)} />
        <div class={styles["list"]} onPointerEnter={() => setBusy(true)} onPointerLeave={() => setBusy(false)}>
          <FilterBar
            query={query()}
            onChange={change}
            onClear={clear}
            onFilters={() => setFilters(true)}
            moved={busy() || chosen() > 0 ? moved() : 0}
            onOrder={orderAgain}
          />
          <DataArea
            query={list}
            what="Hosts"
            rows={12}
            isEmpty={() => total() === 0}
            empty={
              <Show
                when={filterTags(query()).length > 0}
                fallback={<HostsEmpty onAdd={() => setParameters({ add: "host" })} />}
              >
                <HostsNoMatch query={query()} onClear={clear} />
              </Show>
            }
          >
            {() => (
              <HostGrid
                rows={rows()}
                total={total()}
                sort={query().sort}
                onSort={(sort) => change({ sort })}
                selection={selection()}
                onSelect={setSelection}
                onOpen={(id) => navigate(`/hosts/${id}`)}
                onNeed={() => {
                  if (list.hasNextPage && !list.isFetching) void list.fetchNextPage()
                }}
              />
            )}
          </DataArea>
          <Show when={chosen() > 0}>
            <SelectionBar
              chosen={chosen()}
              loaded={rows().length}
              total={total()}
              selection={selection()}
              onSelect={setSelection}
              onApply={() => void apply()}
              onDeploy={deploy}
              onRefresh={() => void refresh()}
            />
          </Show>
        </div>
      </div>
      <Suspense>
        <Show when={adding() && may("hosts:create")}>
          <AddHostDialog onClose={() => setParameters({ add: undefined })} />
        </Show>
        <Show when={applying()}>{(hosts) => <ApplyDialog hosts={hosts()} onClose={() => setApplying(null)} />}</Show>
      </Suspense>
    </main>
  )
}
