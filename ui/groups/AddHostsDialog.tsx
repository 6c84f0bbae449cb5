/** Puts hosts into a group: all that were chosen, or none. */
import { createSignal, type JSX } from "solid-js"
import type { GroupDetail } from "#core/Group.ts"
import { addGroupHosts } from "../api/groups.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { plural } from "../format/numbers.ts"
import { FormDialog } from "../kit/FormDialog.tsx"
import { say } from "../kit/toasts.ts"
import { type Chosen, HostPicker } from "./HostPicker.tsx"

export default function AddHostsDialog(props: { group: GroupDetail; onClose: () => void }): JSX.Element {
  const [chosen, setChosen] = createSignal<Chosen>(new Map())
  const submit = async (): Promise<void> => {
    const { added } = await addGroupHosts(props.group.id, [...chosen().keys()])
    void queryClient.invalidateQueries({ queryKey: keys.groups })
    void queryClient.invalidateQueries({ queryKey: ["host"] })
    say(added === 0 ? "They were in the group already" : `${plural(added, "host")} added to ${props.group.name}`)
  }
  return (
    <FormDialog
      title={`Add hosts to ${props.group.name}`}
      act={chosen().size === 0 ? "Add hosts" : `Add ${plural(chosen().size, "host")}`}
      ready={chosen().size > 0}
      size="wide"
      onClose={() => props.onClose()}
      onSubmit={submit}
    >
      <p class="muted">
        A host that is in no group yet is visible to every operator; from now on only to the users of its groups.
      </p>
      <HostPicker several chosen={chosen()} onChange={setChosen} />
    </FormDialog>
  )
}
