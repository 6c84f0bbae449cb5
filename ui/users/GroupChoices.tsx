/** Groups to tick: those somebody belongs to, or those an API token is bounded to. */
import { For, Show, type JSX } from "solid-js"
import type { GroupId } from "#core/Ids.ts"
import { listGroups } from "../api/groups.ts"
import { keys } from "../api/keys.ts"
import { useData } from "../api/useData.ts"
import { DataArea } from "../kit/DataArea.tsx"
import styles from "./Users.module.css"

export const GroupChoices = (props: {
  chosen: ReadonlySet<GroupId>
  /** What the groups bound, shown beneath them. */
  hint: string
  /** What it means that there is no group at all. */
  empty: string
  disabled?: boolean
  onChange: (chosen: ReadonlySet<GroupId>) => void
}): JSX.Element => {
  const groups = useData(() => ({
    queryKey: [...keys.groups, "choices"],
    queryFn: ({ signal }) => listGroups({ limit: 500 }, signal)
  }))
  const toggle = (id: GroupId): void => {
    const next = new Set(props.chosen)
    if (!next.delete(id)) next.add(id)
    props.onChange(next)
  }
  return (
    <fieldset class={styles["choices"]} disabled={props.disabled === true}>
      <legend class="lab">Groups</legend>
      <DataArea
        query={groups}
        what="Groups"
        rows={2}
        isEmpty={(page) => page.items.length === 0}
        empty={<p class="muted">{props.empty}</p>}
      >
        {(page) => (
          <div class={styles["ticks"]}>
            <For each={page().items}>
              {(group) => (
                <label>
                  <input
                    class="ck"
                    type="checkbox"
                    checked={props.chosen.has(group.id)}
                    onChange={() => toggle(group.id)}
                  />
                  {group.name}
                </label>
              )}
            </For>
          </div>
        )}
      </DataArea>
      <Show when={(groups.data?.items.length ?? 0) > 0}>
        <span class="hint">{props.hint}</span>
      </Show>
    </fieldset>
  )
}
