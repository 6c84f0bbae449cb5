/** Name, mail address, role and groups of an account; somebody else's edit in between is not overwritten. */
import { createSignal, Show, untrack, type JSX } from "solid-js"
import type { UserAccount, UserChange } from "#core/UserAccount.ts"
import { ApiError } from "../api/ApiError.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { may, user } from "../api/session.ts"
import { changeUser } from "../api/users.ts"
import { problemWords } from "../kit/problemWords.ts"
import { say } from "../kit/toasts.ts"
import { GroupChoices } from "./GroupChoices.tsx"
import { RoleField } from "./RoleField.tsx"
import { groupsHint, noGroups } from "./userWords.ts"

const words = (cause: unknown): string =>
  cause instanceof ApiError && cause.status === 412
    ? "Somebody else changed this account meanwhile. It was read again: look at it first."
    : problemWords(cause)

export const AccountForm = (props: { user: UserAccount; onStale: () => void }): JSX.Element => {
  const given = untrack(() => props.user)
  const [name, setName] = createSignal(given.display_name)
  const [email, setEmail] = createSignal(given.email ?? "")
  const [role, setRole] = createSignal(given.role)
  const [groups, setGroups] = createSignal<ReadonlySet<UserAccount["groups"][number]["id"]>>(
    new Set(given.groups.map(({ id }) => id))
  )
  const [fault, setFault] = createSignal<string | null>(null)
  const [busy, setBusy] = createSignal(false)
  const readOnly = (): boolean => !may("users:change")
  const own = given.id === user()?.id
  const roleNote = own
    ? "Your own role is changed by another administrator."
    : given.origin === "break_glass"
      ? "An emergency account keeps its role."
      : undefined
  const change = (): UserChange => {
    const same = groups().size === given.groups.length && given.groups.every(({ id }) => groups().has(id))
    const address = email().trim() === "" ? null : email().trim()
    return {
      ...(name().trim() === given.display_name ? {} : { display_name: name().trim() }),
      ...(address === given.email ? {} : { email: address }),
      ...(role() === given.role ? {} : { role: role() }),
      ...(same ? {} : { group_ids: [...groups()] })
    }
  }
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    setBusy(true)
    setFault(null)
    try {
      await changeUser(given, change())
      say(`${given.username} changed`)
      void queryClient.invalidateQueries({ queryKey: keys.users })
      void queryClient.invalidateQueries({ queryKey: keys.groups })
    } catch (cause) {
      setFault(words(cause))
      if (cause instanceof ApiError && cause.status === 412) props.onStale()
    } finally {
      setBusy(false)
    }
  }
  return (
    <form class="form pad" onSubmit={(event) => void submit(event)}>
      <div class="field">
        <label for="user-display">Display name</label>
        <input
          class="inp"
          id="user-display"
          required
          maxlength="200"
          autocomplete="off"
          disabled={readOnly()}
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
          disabled={readOnly()}
          value={email()}
          onInput={(event) => setEmail(event.currentTarget.value)}
        />
      </div>
      <RoleField
        value={role()}
        disabled={readOnly() || roleNote !== undefined}
        note={readOnly() ? undefined : roleNote}
        onChange={setRole}
      />
      <GroupChoices chosen={groups()} hint={groupsHint} empty={noGroups} disabled={readOnly()} onChange={setGroups} />
      <Show when={given.origin === "sso" && !readOnly()}>
        <p class="hint">
          Where the identity provider's groups are mapped, the next sign-in sets role and groups again.
        </p>
      </Show>
      <Show when={fault()}>
        {(text) => (
          <p class="fault" role="alert">
            {text()}
          </p>
        )}
      </Show>
      <Show when={!readOnly()}>
        <div class="actions">
          <button
            class="btn primary"
            type="submit"
            disabled={busy() || name().trim() === "" || Object.keys(change()).length === 0}
          >
            Change account
          </button>
        </div>
      </Show>
    </form>
  )
}
