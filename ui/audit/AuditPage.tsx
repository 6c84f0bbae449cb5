/** Who did what when: the audit log with its filters in the address, how it is guarded, and its export. */
import { useSearchParams } from "@solidjs/router"
import { createSignal, For, onCleanup, Show, type JSX } from "solid-js"
import { exportAudit, listAuditRows } from "../api/audit.ts"
import { keys } from "../api/keys.ts"
import { may } from "../api/session.ts"
import { usePages } from "../api/useData.ts"
import { count } from "../format/numbers.ts"
import { downloadBlob } from "../kit/download.ts"
import { Icon } from "../kit/Icon.tsx"
import { ListCard } from "../kit/ListCard.tsx"
import { problemWords } from "../kit/problemWords.ts"
import { SearchField } from "../kit/SearchField.tsx"
import { usePage } from "../kit/usePage.ts"
import { AuditTable } from "./AuditTable.tsx"
import { actionGroups } from "./auditWords.ts"
import { ChainCard } from "./ChainCard.tsx"
import styles from "./Audit.module.css"

const COUNTED = 10_000
const WAIT_MS = 300

const names = ["search", "actor", "action", "object", "from", "to"] as const
type Name = (typeof names)[number]

export default function AuditPage(): JSX.Element {
  const page = usePage(() => "Audit")
  const [parameters, setParameters] = useSearchParams<Partial<Record<Name, string>>>()
  const [exporting, setExporting] = createSignal(false)
  const [fault, setFault] = createSignal<string | null>(null)
  const value = (name: Name): string | undefined => parameters[name] || undefined
  const isNarrowed = (): boolean => names.some((name) => value(name) !== undefined)
  let timer: ReturnType<typeof setTimeout> | undefined
  let typed: Partial<Record<Name, string | undefined>> = {}
  /** Typing asks once it pauses: each look at the log is recorded. */
  const set = (name: Name, text: string, waitMs = 0): void => {
    clearTimeout(timer)
    typed = { ...typed, [name]: text === "" ? undefined : text }
    timer = setTimeout(() => {
      setParameters(typed, { replace: true })
      typed = {}
    }, waitMs)
  }
  onCleanup(() => clearTimeout(timer))
  const filter = () => Object.fromEntries(names.map((name) => [name, value(name)]))
  const rows = usePages(() => ({
    queryKey: [...keys.audit, filter()],
    queryFn: ({ pageParam, signal }) => listAuditRows({ ...filter(), cursor: pageParam, limit: 50 }, signal),
    keepPrevious: true
  }))

  const save = async (): Promise<void> => {
    setExporting(true)
    setFault(null)
    try {
      const period = { from: value("from"), to: value("to") }
      downloadBlob(`audit-${new Date().toISOString().slice(0, 10)}.ndjson`, await exportAudit(period))
    } catch (cause) {
      setFault(problemWords(cause))
    } finally {
      setExporting(false)
    }
  }

  return (
    <main class="main" id="main">
      <div class={`head ${styles["head"]}`}>
        <div>
          <h1 ref={page.ref}>Audit</h1>
          <p class="sub">
            <Show when={rows.data?.pages[0]} fallback={<>&nbsp;</>}>
              {(first) => (
                <>
                  {first().total >= COUNTED ? `${count(COUNTED)} rows or more` : `${count(first().total)} rows`}
                  {isNarrowed() ? " match" : ""}
                </>
              )}
            </Show>
          </p>
        </div>
        <Show when={may("audit:export")}>
          <button class="btn" type="button" disabled={exporting()} onClick={() => void save()}>
            <Icon name="download" />
            {exporting() ? "Exporting…" : "Export"}
          </button>
        </Show>
      </div>
      <Show when={fault()}>
        {(words) => (
          <p class="fault" role="alert">
            {words()}
          </p>
        )}
      </Show>
      <ChainCard />
      <div class={styles["filters"]} role="search" aria-label="Narrow the audit log">
        <SearchField
          label="Search the audit log"
          placeholder="Name, id, address or change"
          value={value("search") ?? ""}
          onInput={(text) => set("search", text, WAIT_MS)}
        />
        <input
          class="inp"
          aria-label="Who"
          placeholder="Who"
          autocomplete="off"
          value={value("actor") ?? ""}
          onInput={(event) => set("actor", event.currentTarget.value, WAIT_MS)}
        />
        <span class="sel">
          <select
            class="inp"
            aria-label="Actions"
            value={value("action") ?? ""}
            onChange={(event) => set("action", event.currentTarget.value)}
          >
            <option value="">All actions</option>
            <For each={actionGroups}>{([prefix, word]) => <option value={prefix}>{word}</option>}</For>
            <Show when={actionGroups.every(([prefix]) => prefix !== value("action")) && value("action")}>
              {(action) => <option value={action()}>{action()}</option>}
            </Show>
          </select>
          <Icon name="down" />
        </span>
        <label class={styles["day"]}>
          <span class="muted">From</span>
          <input
            class="inp"
            type="date"
            value={value("from") ?? ""}
            onChange={(event) => set("from", event.currentTarget.value)}
          />
        </label>
        <label class={styles["day"]}>
          <span class="muted">Before</span>
          <input
            class="inp"
            type="date"
            value={value("to") ?? ""}
            onChange={(event) => set("to", event.currentTarget.value)}
          />
        </label>
        <Show when={isNarrowed()}>
          <button
            class="btn quiet"
            type="button"
            onClick={() => setParameters(Object.fromEntries(names.map((name) => [name, undefined])))}
          >
            Clear
          </button>
        </Show>
      </div>
      <Show when={value("object")}>
        {(object) => (
          <div>
            <span class="tag">
              Only {object()}
              <button type="button" aria-label="Remove the filter by object" onClick={() => set("object", "")}>
                <Icon name="close" />
              </button>
            </span>
          </div>
        )}
      </Show>
      <ListCard
        what="Audit log"
        query={rows}
        rows={10}
        more="Show earlier rows"
        empty={
          <>
            <b>No row matches</b>
            <p class="muted">Every change, sign-in and refusal leaves a row here. Narrow less to see them.</p>
          </>
        }
      >
        {(all) => <AuditTable rows={all()} />}
      </ListCard>
    </main>
  )
}
