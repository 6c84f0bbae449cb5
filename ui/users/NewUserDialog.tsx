/** Makes an account, then shows its first password: once. */
import { useNavigate } from "@solidjs/router"
import { createSignal, Show, type JSX } from "solid-js"
import type { GroupId } from "#core/Ids.ts"
import type { Role } from "#core/Permission.ts"
import type { UserMade } from "#core/UserAccount.ts"
import { ApiError } from "../api/ApiError.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { createUser } from "../api/users.ts"
import { Dialog } from "../kit/Dialog.tsx"
import { problemWords } from "../kit/problemWords.ts"
import { GroupChoices } from "./GroupChoices.tsx"
import { PasswordOnce } from "./PasswordOnce.tsx"
import { RoleField } from "./RoleField.tsx"
import { groupsHint, noGroups } from "./userWords.ts"

export default function NewUserDialog(props: { onClose: () => void }): JSX.Element {
  const navigate = useNavigate()
  const [username, setUsername] = createSignal("")
  const [name, setName] = createSignal("")
  const [email, setEmail] = createSignal("")
  const [role, setRole] = createSignal<Role>("operator")
  const [groups, setGroups] = createSignal<ReadonlySet<GroupId>>(new Set())
  const [fault, setFault] = createSignal<unknown>(null)
  const [busy, setBusy] = createSignal(false)
  const [made, setMade] = createSignal<UserMade | null>(null)
  // One key for one account, however often the button is pressed after a lost answer.
  const key = crypto.randomUUID()
  let field: HTMLInputElement | undefined
  const fieldFault = (path: string): string | undefined => {
    const cause = fault()
    return cause instanceof ApiError ? cause.field(path) : undefined
  }
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    setBusy(true)
    setFault(null)
    try {
      const answer = await createUser(
        {
          username: username().trim().toLowerCase(),
          display_name: name().trim() === "" ? username().trim() : name().trim(),
          role: role(),
          group_ids: [...groups()],
          ...(email().trim() === "" ? {} : { email: email().trim() })
        },
        key
      )
      void queryClient.invalidateQueries({ queryKey: keys.users })
      void queryClient.invalidateQueries({ queryKey: keys.groups })
      setMade(answer)
    } catch (cause) {
      setFault(cause)
    } finally {
      setBusy(false)
    }
  }
  const done = (): void => {
    const answer = made()
    props.onClose()
    if (answer !== null) navigate(`/users/${answer.user.id}`)
  }
  return (
    <Dialog
      open
      onClose={() => props.onClose()}
      title={made() === null ? "Add user" : `${made()?.user.username ?? ""} is added`}
      size="small"
      focus={() => field}
      keep={made() !== null}
    >
      <Show
        when={made()}
        fallback={
          <form class="form" onSubmit={(event) => void submit(event)}>
            <div class="field">
              <label for="user-name">User name</label>
              <input
                class="inp"
                id="user-name"
                ref={field}
                required
                maxlength="64"
                autocomplete="off"
                autocapitalize="none"
                spellcheck={false}
                aria-describedby="user-name-hint"
                value={username()}
                onInput={(event) => setUsername(event.currentTarget.value)}
              />
              <span class={fieldFault("username") === undefined ? "hint" : "fault"} id="user-name-hint">
                {fieldFault("username") ?? "For signing in, and in the audit log for good. It cannot be changed later."}
              </span>
            </div>
            <div class="field">
              <label for="user-display">Display name</label>
              <input
                class="inp"
                id="user-display"
                maxlength="200"
                autocomplete="off"
                placeholder="The user name"
                value={name()}
                onInput={(event) => setName(event.currentTarget.value)}
              />
            </div>
            <div class="field">
              <label for="user-email">Mail address</label>
              <input
                class="inp"
                id="user-email"
                type="email"
                maxlength="254"
                autocomplete="off"
                placeholder="None"
                value={email()}
                onInput={(event) => setEmail(event.currentTarget.value)}
              />
            </div>
            <RoleField value={role()} onChange={setRole} />
            <GroupChoices chosen={groups()} hint={groupsHint} empty={noGroups} onChange={setGroups} />
            <p class="muted">A first password is made up and shown to you once.</p>
            <Show when={fault()}>
              {(cause) => (
                <p class="fault" role="alert">
                  {problemWords(cause())}
                </p>
              )}
            </Show>
            <div class="actions end">
              <button class="btn" type="button" onClick={() => props.onClose()}>
                Cancel
              </button>
              <button class="btn primary" type="submit" disabled={busy() || username().trim() === ""}>
                Add user
              </button>
            </div>
          </form>
        }
      >
        {(answer) => (
          <Show
            when={answer().temporary_password}
            fallback={
              <>
                <p class="muted">
                  The account was made, but its first password was lost on the way. Reset the password on the next page.
                </p>
                <div class="actions end">
                  <button class="btn primary" type="button" onClick={done}>
                    Go to the account
                  </button>
                </div>
              </>
            }
          >
            {(password) => <PasswordOnce username={answer().user.username} password={password()} onDone={done} />}
          </Show>
        )}
      </Show>
    </Dialog>
  )
}
