/** Deletes a group after saying which hosts become visible to every operator, and what else ends with it. */
import { createSignal, For, Show, type JSX } from "solid-js"
import type { GroupDetail } from "#core/Group.ts"
import { deleteGroup, readGroupDeletion } from "../api/groups.ts"
import { keys } from "../api/keys.ts"
import { outdate } from "../api/queryClient.ts"
import { useData } from "../api/useData.ts"
import { plural } from "../format/numbers.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { FormDialog } from "../kit/FormDialog.tsx"
import { Icon } from "../kit/Icon.tsx"
import { say } from "../kit/toasts.ts"

const NAMED = 8

export default function DeleteGroupDialog(props: {
  group: GroupDetail
  onClose: () => void
  onDeleted: () => void
}): JSX.Element {
  const deletion = useData(() => ({
    queryKey: [...keys.group(props.group.id), "deletion"],
    queryFn: ({ signal }) => readGroupDeletion(props.group.id, signal),
    staleTime: 0
  }))
  const [typed, setTyped] = createSignal("")
  const submit = async (): Promise<void> => {
    try {
      await deleteGroup(props.group.id, deletion.data?.ungrouped_total ?? -1)
    } catch (cause) {
      void deletion.refetch()
      throw cause
    }
    say(`Group ${props.group.name} deleted`)
    outdate(keys.groups, keys.hosts, keys.holds, keys.windows)
    props.onDeleted()
  }
  return (
    <FormDialog
      title={`Delete ${props.group.name}`}
      act="Delete group"
      danger
      ready={deletion.data !== undefined && !deletion.isFetching && typed().trim() === props.group.name}
      onClose={() => props.onClose()}
      onSubmit={submit}
    >
      <DataArea query={deletion} what="What follows" rows={3}>
        {(now) => (
          <>
            <p class="muted">The group's hosts stay registered and go on as they are.</p>
            <Show when={now().ungrouped_total > 0}>
              <div class="banner" role="alert">
                <Icon name="warning" />
                <p>
                  {plural(now().ungrouped_total, "host is", "hosts are")} in no other group. Every operator will see and
                  may change {now().ungrouped_total === 1 ? "it" : "them"}:
                </p>
              </div>
              <ul>
                <For each={now().ungrouped.slice(0, NAMED)}>
                  {(host) => (
                    <li>
                      <Icon name="host" />
                      {host.display_name}
                    </li>
                  )}
                </For>
                <Show when={now().ungrouped_total > NAMED}>
                  <li class="muted">and {plural(now().ungrouped_total - NAMED, "other host")}</li>
                </Show>
              </ul>
            </Show>
            <ul>
              <Show when={now().hosts_total > now().ungrouped_total}>
                <li>
                  <Icon name="check" />
                  {plural(now().hosts_total - now().ungrouped_total, "host")} in other groups as well
                </li>
              </Show>
              <Show when={now().users_total > 0}>
                <li>
                  <Icon name="minus" />
                  {plural(now().users_total, "user", "users")} will no longer see hosts through it
                </li>
              </Show>
              <Show when={now().windows_total > 0}>
                <li>
                  <Icon name="calendar" />
                  {plural(now().windows_total, "window")} of the group will be deleted
                </li>
              </Show>
              <Show when={now().holds_total > 0}>
                <li>
                  <Icon name="hold" />
                  {plural(now().holds_total, "hold")} on the group will end
                </li>
              </Show>
              <Show when={now().services.length > 0}>
                <li>
                  <Icon name="minus" />
                  No longer checked because of it: {now().services.join(", ")}
                </li>
              </Show>
            </ul>
            <div class="field">
              <label for="delete-group-name">
                Type <b>{props.group.name}</b> to delete it
              </label>
              <input
                class="inp"
                id="delete-group-name"
                required
                autocomplete="off"
                spellcheck={false}
                value={typed()}
                onInput={(event) => setTyped(event.currentTarget.value)}
              />
            </div>
          </>
        )}
      </DataArea>
    </FormDialog>
  )
}
