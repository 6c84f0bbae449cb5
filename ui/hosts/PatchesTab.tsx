/** Pending updates, installed against available, with a choice that leads to "Apply now". */
import { A } from "@solidjs/router"
import { createMemo, createSignal, For, Show, type JSX } from "solid-js"
import type { Patch } from "#core/Package.ts"
import type { Reason } from "#core/Reason.ts"
import { keys } from "../api/keys.ts"
import { readPatches, readReasons } from "../api/hosts.ts"
import { may } from "../api/session.ts"
import { useData } from "../api/useData.ts"
import { count, plural } from "../format/numbers.ts"
import { rebootStates, severities } from "../format/states.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { Icon } from "../kit/Icon.tsx"
import { SearchField } from "../kit/SearchField.tsx"
import { State } from "../kit/State.tsx"
import { Time } from "../kit/Time.tsx"
import { useHost } from "./HostContext.ts"
import styles from "./PatchesTab.module.css"

const REASONS_AGAIN_MS = 10_000

const matches = (patch: Patch, wanted: string): boolean =>
  [patch.name, ...patch.cve_ids].some((text) => text.toLowerCase().includes(wanted))

const worstFirst = (a: Patch, b: Patch): number =>
  Number(b.security) - Number(a.security) ||
  severities[b.severity].rank - severities[a.severity].rank ||
  a.name.localeCompare(b.name)

const Row = (props: {
  patch: Patch
  why: Reason | undefined
  chosen: boolean
  onChoose: (on: boolean) => void
  choosing: boolean
}): JSX.Element => (
  <tr>
    <Show when={props.choosing}>
      <td>
        <input
          type="checkbox"
          class="ck"
          checked={props.chosen}
          aria-label={`Select ${props.patch.name}`}
          onChange={(event) => props.onChoose(event.currentTarget.checked)}
        />
      </td>
    </Show>
    <td class="strong" title={props.patch.description}>
      {props.patch.name}
    </td>
    <td class={styles["ver"]}>
      <span class="ver">
        <span>{props.patch.current_version ?? "not told"}</span>
        <Icon name="arrow" />
        <span>{props.patch.available_version ?? "not told"}</span>
      </span>
    </td>
    <td>
      <Show when={props.patch.security} fallback={<span class="zero">No</span>}>
        <State of={{ tone: "bad", icon: "shield", word: "Yes" }} />
      </Show>
    </td>
    <td>
      <State of={severities[props.patch.severity]} />
    </td>
    <td class="muted" title={props.patch.cve_ids.join(", ")}>
      {props.patch.cve_ids[0] ?? "–"}
      {props.patch.cve_ids.length > 1 ? ` +${props.patch.cve_ids.length - 1}` : ""}
    </td>
    <td>
      <State of={props.patch.requires_reboot ? rebootStates.yes : rebootStates.no} />
    </td>
    <td class={`muted ${styles["why"]}`} title={props.why?.message}>
      {props.why?.message ?? ""}
    </td>
  </tr>
)

export default function PatchesTab(): JSX.Element {
  const { host, apply } = useHost()
  const [text, setText] = createSignal("")
  const [only, setOnly] = createSignal<"all" | "security">("all")
  const [chosen, setChosen] = createSignal<ReadonlySet<string>>(new Set())
  const patches = useData(() => ({
    queryKey: keys.patches(host().id),
    queryFn: ({ signal }) => readPatches(host().id, signal)
  }))
  const reasons = useData(() => ({
    queryKey: keys.reasons(host().id),
    queryFn: ({ signal }) => readReasons(host().id, signal),
    refetchInterval: REASONS_AGAIN_MS
  }))
  const why = createMemo(() => new Map((reasons.data?.packages ?? []).map(({ name, reason }) => [name, reason])))
  const shown = createMemo(() => {
    const wanted = text().trim().toLowerCase()
    return (patches.data?.items ?? [])
      .filter((patch) => (only() === "all" || patch.security) && matches(patch, wanted))
      .toSorted(worstFirst)
  })
  /** Without those that left the list meanwhile. */
  const names = createMemo(() =>
    (patches.data?.items ?? []).map(({ name }) => name).filter((name) => chosen().has(name))
  )
  const choose = (all: ReadonlyArray<string>, on: boolean): void => {
    const next = new Set(chosen())
    for (const name of all) {
      if (on) next.add(name)
      else next.delete(name)
    }
    setChosen(next)
  }
  const allChosen = (): boolean => shown().length > 0 && shown().every(({ name }) => chosen().has(name))
  const choosing = (): boolean => may("jobs:create")
  return (
    <section class="card" aria-labelledby="h-patches">
      <header class={styles["head"]}>
        <h2 id="h-patches">Pending updates</h2>
        <Show when={patches.data?.read_at}>
          {(at) => (
            <span class="muted sm">
              read <Time at={at()} />
            </span>
          )}
        </Show>
        <span class="seggroup" role="group" aria-label="Show">
          <button type="button" aria-pressed={only() === "security"} onClick={() => setOnly("security")}>
            Security {count(patches.data?.security ?? 0)}
          </button>
          <button type="button" aria-pressed={only() === "all"} onClick={() => setOnly("all")}>
            All {count(patches.data?.total ?? 0)}
          </button>
        </span>
        <SearchField label="Filter updates" placeholder="Package or CVE" value={text()} onInput={setText} />
      </header>
      <DataArea
        query={patches}
        what="The pending updates"
        rows={8}
        isEmpty={(all) => all.total === 0}
        empty={
          <div class="empty">
            <Show
              when={patches.data?.read_at}
              fallback={<p class="muted">The host has not reported its updates yet, so nothing is known.</p>}
            >
              <b>Up to date</b>
              <p class="muted">The host reported no pending update when it was last asked.</p>
            </Show>
          </div>
        }
      >
        {() => (
          <>
            <Show when={reasons.data?.host}>
              {(reason) => (
                <p class={styles["reason"]} role="status">
                  <Icon name="info" />
                  <span>
                    {reason().message}
                    <Show when={reason().job}>
                      {(job) => (
                        <>
                          {" "}
                          <A href={`/jobs/${job().id}`}>Job #{job().number}</A>
                        </>
                      )}
                    </Show>
                  </span>
                </p>
              )}
            </Show>
            <div class="scrollx" tabIndex={0} role="group" aria-label="Updates">
              <table class={`tbl ${styles["table"]}`}>
                <thead>
                  <tr>
                    <Show when={choosing()}>
                      <th scope="col" class={styles["ck"]}>
                        <input
                          type="checkbox"
                          class="ck"
                          checked={allChosen()}
                          aria-label={`Select the ${plural(shown().length, "update")} shown`}
                          onChange={(event) =>
                            choose(
                              shown().map(({ name }) => name),
                              event.currentTarget.checked
                            )
                          }
                        />
                      </th>
                    </Show>
                    <th scope="col" class={styles["name"]}>
                      Package
                    </th>
                    <th scope="col" class={styles["ver"]}>
                      <span class={styles["vers"]}>
                        <span>Installed</span>
                        <span>Available</span>
                      </span>
                    </th>
                    <th
                      scope="col"
                      class={styles["short"]}
                      title="The agent's own estimate; on apt it is made from the package's name."
                    >
                      Security
                    </th>
                    <th scope="col" class={styles["sev"]}>
                      Severity
                    </th>
                    <th scope="col" class={styles["sev"]}>
                      CVE
                    </th>
                    <th scope="col" class={styles["short"]}>
                      Restart
                    </th>
                    <th scope="col">Why it is still pending</th>
                  </tr>
                </thead>
                <tbody>
                  <For each={shown()}>
                    {(patch) => (
                      <Row
                        patch={patch}
                        why={why().get(patch.name)}
                        choosing={choosing()}
                        chosen={chosen().has(patch.name)}
                        onChoose={(on) => choose([patch.name], on)}
                      />
                    )}
                  </For>
                </tbody>
              </table>
            </div>
            <Show when={shown().length === 0}>
              <div class={`empty ${styles["none"]}`}>
                <p class="muted">
                  No pending {only() === "security" ? "security update" : "update"} matches
                  {text().trim() === "" ? "" : ` “${text()}”`}.
                </p>
              </div>
            </Show>
            <Show when={choosing() && names().length > 0}>
              <div class={styles["foot"]}>
                <span class="strong">{plural(names().length, "update")} chosen</span>
                <button class="btn quiet s" type="button" onClick={() => setChosen(new Set<string>())}>
                  Clear
                </button>
                <span class={styles["gap"]} />
                <button class="btn" type="button" onClick={() => apply(names())}>
                  <Icon name="deploy" />
                  Apply {plural(names().length, "chosen update")}…
                </button>
              </div>
            </Show>
          </>
        )}
      </DataArea>
    </section>
  )
}
