/** Rows of "this group at the provider gives this role and these groups of hosts". */
import { createUniqueId, For, Index, Show, type JSX } from "solid-js"
import { Role } from "#core/Permission.ts"
import { roleWords } from "../account/roleWords.ts"
import { listGroups } from "../api/groups.ts"
import { keys } from "../api/keys.ts"
import { useData } from "../api/useData.ts"
import { Icon } from "../kit/Icon.tsx"
import { emptyMapping, type MappingDraft } from "./providerDraft.ts"
import styles from "./Sso.module.css"

export const MappingEditor = (props: {
  mappings: ReadonlyArray<MappingDraft>
  hint: string
  onChange: (mappings: ReadonlyArray<MappingDraft>) => void
}): JSX.Element => {
  const id = createUniqueId()
  const groups = useData(() => ({
    queryKey: [...keys.groups, "choices"],
    queryFn: ({ signal }) => listGroups({ limit: 500 }, signal)
  }))
  const nameOf = (group: string): string => groups.data?.items.find((one) => one.id === group)?.name ?? "a group"
  const set = (at: number, part: Partial<MappingDraft>): void =>
    props.onChange(props.mappings.map((mapping, index) => (index === at ? { ...mapping, ...part } : mapping)))
  return (
    <fieldset class={styles["mappings"]}>
      <legend class="lab">Groups and roles</legend>
      <span class="hint">
        {props.hint} Whoever is in none of them is not let in; of several roles the strongest counts.
      </span>
      <Index each={props.mappings}>
        {(mapping, index) => (
          <div class={styles["mapping"]}>
            <input
              class="inp mono"
              aria-label={`Group at the provider, row ${index + 1}`}
              placeholder="Group at the provider"
              maxlength="256"
              autocomplete="off"
              spellcheck={false}
              value={mapping().provider_group}
              onInput={(event) => set(index, { provider_group: event.currentTarget.value })}
            />
            <span class="sel">
              <select
                class="inp"
                aria-label={`Role, row ${index + 1}`}
                value={mapping().role ?? ""}
                onChange={(event) =>
                  set(index, { role: Role.literals.find((one) => one === event.currentTarget.value) ?? null })
                }
              >
                <option value="">No role</option>
                <For each={Role.literals}>{(role) => <option value={role}>{roleWords[role]}</option>}</For>
              </select>
              <Icon name="down" />
            </span>
            <button
              class="btn quiet sq"
              type="button"
              aria-label={`Remove row ${index + 1}`}
              onClick={() => props.onChange(props.mappings.filter((_, at) => at !== index))}
            >
              <Icon name="close" />
            </button>
            <Show when={(groups.data?.items.length ?? 0) > 0}>
              <div class={styles["joined"]}>
                <For each={mapping().group_ids}>
                  {(group) => (
                    <span class="tag">
                      {nameOf(group)}
                      <button
                        type="button"
                        aria-label={`Take ${nameOf(group)} off row ${index + 1}`}
                        onClick={() => set(index, { group_ids: mapping().group_ids.filter((one) => one !== group) })}
                      >
                        <Icon name="close" />
                      </button>
                    </span>
                  )}
                </For>
                <span class="sel">
                  <select
                    class="inp s"
                    id={`${id}-${index}`}
                    aria-label={`Add a group of hosts to row ${index + 1}`}
                    value=""
                    onChange={(event) => {
                      const chosen = groups.data?.items.find((one) => one.id === event.currentTarget.value)
                      event.currentTarget.value = ""
                      if (chosen) set(index, { group_ids: [...new Set([...mapping().group_ids, chosen.id])] })
                    }}
                  >
                    <option value="">Add group of hosts</option>
                    <For each={groups.data?.items.filter((one) => !mapping().group_ids.includes(one.id)) ?? []}>
                      {(one) => <option value={one.id}>{one.name}</option>}
                    </For>
                  </select>
                  <Icon name="down" />
                </span>
              </div>
            </Show>
          </div>
        )}
      </Index>
      <div>
        <button class="btn s" type="button" onClick={() => props.onChange([...props.mappings, emptyMapping])}>
          <Icon name="plus" />
          Add row
        </button>
      </div>
    </fieldset>
  )
}
