/** Which hosts: those chosen in the list, a group, or all that match a filter when the job is made. */
import { A } from "@solidjs/router"
import { For, Show, type JSX } from "solid-js"
import { keys } from "../api/keys.ts"
import { listGroups } from "../api/groups.ts"
import { useData } from "../api/useData.ts"
import { plural } from "../format/numbers.ts"
import { filterTags, readHostQuery } from "../hosts/hostQuery.ts"
import type { Target } from "./draft.ts"
import { Options } from "./Options.tsx"
import styles from "./DeployPage.module.css"

const filterWords = (target: Target): string => {
  if (target.kind !== "filter") return ""
  const { group, os, pending, q, reboot_needed, status } = target.filter
  const query = { ...readHostQuery({}), group, os, pending, q, reboot_needed, status }
  const tags = filterTags(query).map(({ words }) => words)
  return tags.length === 0 ? "All hosts" : tags.join(", ")
}

export const TargetCard = (props: {
  /** As the page was entered; one can come back to it. */
  given: Target
  target: Target
  onChange: (target: Target) => void
}): JSX.Element => {
  const groups = useData(() => ({
    queryKey: [...keys.groups, "all"],
    queryFn: ({ signal }) => listGroups({ limit: 500 }, signal)
  }))
  const givenWords = (): string =>
    props.given.kind === "hosts"
      ? props.given.ids.length === 0
        ? "Hosts chosen in the list"
        : `${plural(props.given.ids.length, "chosen host")}`
      : "Every host that matches"
  return (
    <section class="card" aria-labelledby="h-target">
      <header>
        <h2 id="h-target">Hosts</h2>
        <A href="/hosts">Choose in the list</A>
      </header>
      <div class={styles["form"]}>
        <Options
          name="target"
          label="Which"
          value={props.target.kind === "group" ? "group" : "given"}
          onChange={(value) => props.onChange(value === "group" ? { kind: "group", id: "" } : props.given)}
          options={[
            {
              value: "given",
              words: givenWords(),
              ...(props.given.kind === "filter"
                ? { hint: `${filterWords(props.given)}. The hosts are fixed when the job is made.` }
                : {})
            },
            { value: "group", words: "A group" }
          ]}
        />
        <Show when={props.target.kind === "group" ? props.target : null}>
          {(target) => (
            <div class="field">
              <label for="deploy-group">Group</label>
              <select
                class="inp"
                id="deploy-group"
                value={target().id}
                onChange={(event) => props.onChange({ kind: "group", id: event.currentTarget.value })}
              >
                <option value="">Choose…</option>
                <For each={groups.data?.items ?? []}>{(group) => <option value={group.id}>{group.name}</option>}</For>
              </select>
            </div>
          )}
        </Show>
      </div>
    </section>
  )
}
