/** Filters with how many hosts each would leave, beside the list; a sheet on phones. */
import { createMemo, For, Show, type JSX } from "solid-js"
import type { HostSummary } from "#core/HostState.ts"
import { keys } from "../api/keys.ts"
import { listGroups } from "../api/groups.ts"
import { listHosts } from "../api/hosts.ts"
import { useData } from "../api/useData.ts"
import { count } from "../format/numbers.ts"
import { summaries } from "../format/states.ts"
import { useFleet } from "../shell/useFleet.ts"
import type { HostQuery } from "./hostQuery.ts"
import { useSystems } from "./useSystems.ts"
import styles from "./Facets.module.css"

const Facet = (props: {
  words: string
  hosts: number | undefined
  on: boolean
  onChange: (on: boolean) => void
}): JSX.Element => (
  <label>
    <input
      type="checkbox"
      class="ck"
      checked={props.on}
      onChange={(event) => props.onChange(event.currentTarget.checked)}
    />
    <span class="trunc">{props.words}</span>
    <span>{props.hosts === undefined ? "" : count(props.hosts)}</span>
  </label>
)

const Group = (props: { title: string; children: JSX.Element }): JSX.Element => (
  <fieldset>
    <legend class="vh">{props.title}</legend>
    <p class={styles["title"]} aria-hidden="true">
      {props.title}
    </p>
    {props.children}
  </fieldset>
)

/** Counted by asking the list, which says how many there are in all. */
const SystemFacet = (props: { os: string; on: boolean; onChange: (on: boolean) => void }): JSX.Element => {
  const hosts = useData(() => ({
    queryKey: [...keys.fleet, "system", props.os],
    queryFn: async ({ signal }) => (await listHosts({ os: [props.os], limit: 1 }, signal)).total,
    staleTime: 60_000
  }))
  return <Facet words={props.os} hosts={hosts.data} on={props.on} onChange={props.onChange} />
}

const toggled = <A,>(all: ReadonlyArray<A> | undefined, one: A, on: boolean): ReadonlyArray<A> | undefined => {
  const next = on ? [...(all ?? []), one] : (all ?? []).filter((other) => other !== one)
  return next.length > 0 ? next : undefined
}

export const Facets = (props: {
  query: HostQuery
  onChange: (part: Partial<HostQuery>) => void
  open: boolean
  onClose: () => void
}): JSX.Element => {
  const fleet = useFleet()
  const states = createMemo(() =>
    (Object.keys(summaries) as ReadonlyArray<HostSummary>).filter(
      (summary) =>
        summary !== "retired" &&
        ((fleet.data?.by_summary[summary] ?? 0) > 0 || props.query.status?.includes(summary) === true)
    )
  )
  const groups = useData(() => ({
    queryKey: [...keys.groups, "facets"],
    queryFn: ({ signal }) => listGroups({ limit: 50 }, signal),
    staleTime: 60_000
  }))
  const systems = useSystems()
  const names = createMemo(() => [...new Set([...systems(), ...(props.query.os ?? [])])].toSorted())
  return (
    <div class={styles["facets"]} classList={{ [styles["open"] ?? ""]: props.open }} role="region" aria-label="Filters">
      <Group title="State">
        <For each={states()}>
          {(summary) => (
            <Facet
              words={summaries[summary].word}
              hosts={fleet.data?.by_summary[summary]}
              on={props.query.status?.includes(summary) === true}
              onChange={(on) => props.onChange({ status: toggled(props.query.status, summary, on) })}
            />
          )}
        </For>
      </Group>
      <Group title="Updates">
        <Facet
          words="Any pending"
          hosts={fleet.data?.hosts_with_pending}
          on={props.query.pending === "any"}
          onChange={(on) => props.onChange({ pending: on ? "any" : undefined })}
        />
        <Facet
          words="Security pending"
          hosts={fleet.data?.hosts_with_security}
          on={props.query.pending === "security"}
          onChange={(on) => props.onChange({ pending: on ? "security" : undefined })}
        />
      </Group>
      <Group title="Reboot needed">
        <Facet
          words="Yes"
          hosts={fleet.data?.hosts_needing_reboot}
          on={props.query.reboot_needed === true}
          onChange={(on) => props.onChange({ reboot_needed: on ? true : undefined })}
        />
      </Group>
      <Show when={(groups.data?.items.length ?? 0) > 0}>
        <Group title="Group">
          <For each={groups.data?.items ?? []}>
            {(group) => (
              <Facet
                words={group.name}
                hosts={group.hosts_total}
                on={props.query.group === group.id}
                onChange={(on) => props.onChange({ group: on ? group.id : undefined })}
              />
            )}
          </For>
        </Group>
      </Show>
      <Show when={names().length > 0}>
        <Group title="System">
          <For each={names()}>
            {(os) => (
              <SystemFacet
                os={os}
                on={props.query.os?.includes(os) === true}
                onChange={(on) => props.onChange({ os: toggled(props.query.os, os, on) })}
              />
            )}
          </For>
        </Group>
      </Show>
      <div class={styles["done"]}>
        <button class="btn primary" type="button" onClick={() => props.onClose()}>
          Show hosts
        </button>
      </div>
    </div>
  )
}
