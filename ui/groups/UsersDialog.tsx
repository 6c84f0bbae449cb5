/** Who belongs to a group, one user name a line. */
import { createSignal, untrack, type JSX } from "solid-js"
import type { GroupDetail } from "#core/Group.ts"
import { replaceGroupUsers } from "../api/groups.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { withStepUp } from "../api/stepUp.ts"
import { FormDialog } from "../kit/FormDialog.tsx"
import { say } from "../kit/toasts.ts"
import { splitWords } from "./splitWords.ts"

export default function UsersDialog(props: { group: GroupDetail; onClose: () => void }): JSX.Element {
  const [text, setText] = createSignal(untrack(() => props.group.users.map(({ username }) => username).join("\n")))
  const submit = async (): Promise<void> => {
    const [id, usernames] = [props.group.id, splitWords(text())]
    await withStepUp(() => replaceGroupUsers(id, usernames))
    void queryClient.invalidateQueries({ queryKey: keys.groups })
    say(`Users of ${props.group.name} changed`)
  }
  return (
    <FormDialog
      title={`Users of ${props.group.name}`}
      act="Change users"
      onClose={() => props.onClose()}
      onSubmit={submit}
    >
      <div class="field">
        <label for="group-users">User names</label>
        <textarea
          class="inp"
          id="group-users"
          rows="6"
          spellcheck={false}
          aria-describedby="group-users-hint"
          value={text()}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <span class="hint" id="group-users-hint">
          One a line. It bounds what operators see; administrators and auditors see all hosts anyway.
        </span>
      </div>
    </FormDialog>
  )
}
