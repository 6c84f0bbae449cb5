/** Makes a group, or changes its name and description; somebody else's edit in between is not overwritten. */
import { createSignal, untrack, type JSX } from "solid-js"
import type { GroupDetail } from "#core/Group.ts"
import { changeGroup, createGroup } from "../api/groups.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { FormDialog } from "../kit/FormDialog.tsx"
import { say } from "../kit/toasts.ts"

export default function GroupDialog(props: {
  group?: GroupDetail
  onClose: () => void
  onMade?: (group: GroupDetail) => void
}): JSX.Element {
  const group = untrack(() => props.group)
  const [name, setName] = createSignal(group?.name ?? "")
  const [description, setDescription] = createSignal(group?.description ?? "")
  const key = crypto.randomUUID()
  const submit = async (): Promise<void> => {
    const body = { name: name().trim(), description: description().trim() }
    const made = group === undefined ? await createGroup(body, key) : await changeGroup(group.id, group.version, body)
    void queryClient.invalidateQueries({ queryKey: keys.groups })
    say(group === undefined ? `Group ${made.name} added` : "Group changed")
    props.onMade?.(made)
  }
  return (
    <FormDialog
      title={group === undefined ? "Add group" : `Edit ${group.name}`}
      act={group === undefined ? "Add group" : "Change group"}
      ready={name().trim() !== ""}
      onClose={() => props.onClose()}
      onSubmit={submit}
    >
      <div class="field">
        <label for="group-name">Name</label>
        <input
          class="inp"
          id="group-name"
          required
          maxlength="100"
          autocomplete="off"
          value={name()}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </div>
      <div class="field">
        <label for="group-description">Description</label>
        <textarea
          class="inp"
          id="group-description"
          maxlength="500"
          value={description()}
          onInput={(event) => setDescription(event.currentTarget.value)}
        />
      </div>
    </FormDialog>
  )
}
