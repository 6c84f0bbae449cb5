/** What is asked before an account is disabled, deleted or loses its second factors. */
import { createSignal, type JSX } from "solid-js"
import type { UserAccount } from "#core/UserAccount.ts"
import { keys } from "../api/keys.ts"
import { outdate, queryClient } from "../api/queryClient.ts"
import { changeUser, deleteUser, resetFactors } from "../api/users.ts"
import { plural } from "../format/numbers.ts"
import { FormDialog } from "../kit/FormDialog.tsx"
import { say } from "../kit/toasts.ts"

interface Asked {
  readonly user: UserAccount
  readonly onClose: () => void
}

const touched = [keys.users, keys.groups, keys.allSessions, keys.allTokens]

const refresh = (): void => {
  for (const queryKey of touched) void queryClient.invalidateQueries({ queryKey })
}

export const DisableDialog = (props: Asked): JSX.Element => {
  const submit = async (): Promise<void> => {
    await changeUser(props.user, { disabled: true })
    say(`${props.user.username} is disabled`)
    refresh()
  }
  return (
    <FormDialog
      title={`Disable ${props.user.username}`}
      act="Disable account"
      danger
      onClose={() => props.onClose()}
      onSubmit={submit}
    >
      <p class="muted">
        Every session ends at once, and API tokens stop working. Jobs that run go on. The account can be enabled again.
      </p>
    </FormDialog>
  )
}

export const ResetFactorsDialog = (props: Asked): JSX.Element => {
  const submit = async (): Promise<void> => {
    const reset = await resetFactors(props.user.id)
    say(`${plural(reset.factors_removed, "second factor")} removed, ${plural(reset.sessions_ended, "session")} ended`)
    refresh()
  }
  return (
    <FormDialog
      title={`Reset the second factors of ${props.user.username}`}
      act="Reset second factors"
      danger
      onClose={() => props.onClose()}
      onSubmit={submit}
    >
      <p class="muted">
        Authenticator app, passkeys and recovery codes are removed and every session ends. At the next sign-in the
        password is enough to set up a new second factor, so make sure who asked you for this, and reset the password
        too if you are not sure who knows it.
      </p>
    </FormDialog>
  )
}

export const DeleteUserDialog = (props: Asked & { readonly onDeleted: () => void }): JSX.Element => {
  const [typed, setTyped] = createSignal("")
  const submit = async (): Promise<void> => {
    await deleteUser(props.user.id)
    say(`${props.user.username} is deleted`)
    outdate(...touched)
    props.onDeleted()
  }
  return (
    <FormDialog
      title={`Delete ${props.user.username}`}
      act="Delete user"
      danger
      ready={typed().trim() === props.user.username}
      onClose={() => props.onClose()}
      onSubmit={submit}
    >
      <p class="muted">
        Sessions end, API tokens and second factors are gone. Jobs and the audit log keep the name {props.user.username}
        , and nobody else can get it. This cannot be undone: disable the account if the person may come back.
      </p>
      <div class="field">
        <label for="delete-user-name">
          Type <b>{props.user.username}</b> to delete the account
        </label>
        <input
          class="inp"
          id="delete-user-name"
          required
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          value={typed()}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </div>
    </FormDialog>
  )
}
