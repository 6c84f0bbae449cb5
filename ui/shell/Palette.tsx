/** Go to a host by name or address, to a job by its number, or to a page. */
import { useNavigate } from "@solidjs/router"
import { createEffect, createMemo, createSignal, For, Show, type JSX } from "solid-js"
import { listHosts } from "../api/hosts.ts"
import { listJobs } from "../api/jobs.ts"
import { useData } from "../api/useData.ts"
import { jobStates, summaries } from "../format/states.ts"
import { Dialog } from "../kit/Dialog.tsx"
import { Icon, type IconName } from "../kit/Icon.tsx"
import { openPlaces } from "./places.ts"
import styles from "./Palette.module.css"

interface Entry {
  readonly path: string
  readonly icon: IconName
  readonly name: string
  readonly note: string
}

const AT_MOST = 8

export default function Palette(props: { onClose: () => void }): JSX.Element {
  const navigate = useNavigate()
  const [text, setText] = createSignal("")
  const [at, setAt] = createSignal(0)
  let field: HTMLInputElement | undefined
  const wanted = createMemo(() => text().trim())
  const hosts = useData(() => ({
    queryKey: ["palette-hosts", wanted()],
    queryFn: ({ signal }) => listHosts({ q: wanted(), limit: AT_MOST }, signal),
    enabled: wanted().length > 0,
    keepPrevious: true
  }))
  const jobs = useData(() => ({
    queryKey: ["palette-jobs"],
    queryFn: ({ signal }) => listJobs({ limit: 50 }, signal)
  }))
  const entries = createMemo((): ReadonlyArray<Entry> => {
    const q = wanted().toLowerCase()
    const pages = openPlaces()
      .filter(({ name }) => name.toLowerCase().includes(q))
      .map(({ path, icon, name, group }) => ({ path, icon, name, note: group }))
    if (q === "") return pages
    const found = (hosts.data?.items ?? []).map((host) => ({
      path: `/hosts/${host.id}`,
      icon: "host" as const,
      name: host.display_name,
      note: `${host.address} · ${summaries[host.summary].word}`
    }))
    const number = q.replace(/^#/, "")
    const work = (jobs.data?.items ?? [])
      .filter((job) => /^\d+$/.test(number) && String(job.number).startsWith(number))
      .map((job) => ({
        path: `/jobs/${job.id}`,
        icon: "jobs" as const,
        name: `Job #${job.number}`,
        note: jobStates[job.state].word
      }))
    return [...work, ...found, ...pages].slice(0, AT_MOST)
  })
  createEffect(() => {
    entries()
    setAt(0)
  })
  const open = (entry: Entry | undefined): void => {
    if (entry === undefined) return
    props.onClose()
    navigate(entry.path)
  }
  const onKey = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0
    if (step !== 0) {
      event.preventDefault()
      setAt((now) => (now + step + entries().length) % Math.max(1, entries().length))
    } else if (event.key === "Enter") {
      event.preventDefault()
      open(entries()[at()])
    }
  }
  return (
    <Dialog open onClose={() => props.onClose()} title="Go to" focus={() => field}>
      <input
        class="inp"
        ref={field}
        role="combobox"
        aria-label="Host name, address, job number or page"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={entries().length > 0 ? `palette-${at()}` : undefined}
        placeholder="Host name, address, job number or page"
        autocomplete="off"
        value={text()}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKey}
      />
      <Show when={entries().length > 0} fallback={<p class="muted">Nothing matches “{wanted()}”.</p>}>
        <ul class={styles["list"]} id="palette-list" role="listbox" aria-label="Matches">
          <For each={entries()}>
            {(entry, index) => (
              <li
                id={`palette-${index()}`}
                class={styles["entry"]}
                role="option"
                aria-selected={index() === at()}
                onClick={() => open(entry)}
                onMouseMove={() => setAt(index())}
              >
                <Icon name={entry.icon} />
                <span class="trunc">{entry.name}</span>
                <span class="muted sm">{entry.note}</span>
              </li>
            )}
          </For>
        </ul>
      </Show>
    </Dialog>
  )
}
