/** Makes an API token; the token itself is shown this once. */
import { createMemo, createSignal, For, Match, Show, Switch, type JSX } from "solid-js"
import type { ApiTokenMade } from "#core/ApiToken.ts"
import type { GroupId } from "#core/Ids.ts"
import { type Permission, tokenPermissions } from "#core/Permission.ts"
import { createToken } from "../api/account.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { user } from "../api/session.ts"
import { withStepUp } from "../api/stepUp.ts"
import { CopyButton } from "../kit/CopyButton.tsx"
import { Dialog } from "../kit/Dialog.tsx"
import { Icon } from "../kit/Icon.tsx"
import { Time } from "../kit/Time.tsx"
import { GroupChoices } from "../users/GroupChoices.tsx"
import { createRefusal } from "./refusal.ts"
import styles from "./Account.module.css"

const lives: ReadonlyArray<{ readonly days: number; readonly words: string }> = [
  { days: 1, words: "1 day" },
  { days: 7, words: "7 days" },
  { days: 30, words: "30 days" },
  { days: 90, words: "90 days" },
  { days: 365, words: "1 year" }
]

const Made = (props: { made: ApiTokenMade; onClose: () => void }): JSX.Element => (
  <>
    <Show
      when={props.made.token}
      fallback={<p>It was made by a request that was sent twice and is not shown again. Revoke it and make another.</p>}
    >
      {(token) => (
        <>
          <div class="banner">
            <Icon name="warning" />
            <p>The token is shown once and kept nowhere. Store it now where the script reads it.</p>
          </div>
          <div class={`code ${styles["token"]}`}>
            <span>{token()}</span>
            <CopyButton text={token()} label="Copy the token" />
          </div>
          <p class="muted sm">
            Sent as <span class="mono">Authorization: Bearer …</span> until <Time at={props.made.expires_at} as="day" />
            .
          </p>
        </>
      )}
    </Show>
    <div class="actions end">
      <button class="btn primary" type="button" onClick={() => props.onClose()}>
        Done
      </button>
    </div>
  </>
)

export default function TokenDialog(props: { onClose: () => void }): JSX.Element {
  const [groups, setGroups] = createSignal<ReadonlySet<GroupId>>(new Set())
  const grantable = createMemo(() => tokenPermissions(user()?.role ?? "auditor", groups().size > 0))
  const [name, setName] = createSignal("")
  const [days, setDays] = createSignal(30)
  const [chosen, setChosen] = createSignal<ReadonlySet<Permission>>(new Set())
  const [busy, setBusy] = createSignal(false)
  const [made, setMade] = createSignal<ApiTokenMade | null>(null)
  const refusal = createRefusal()
  const key = crypto.randomUUID()
  const wanted = (): ReadonlyArray<Permission> => grantable().filter((permission) => chosen().has(permission))
  const turn = (permission: Permission, on: boolean): void => {
    const next = new Set(chosen())
    if (on) next.add(permission)
    else next.delete(permission)
    setChosen(next)
  }
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    setBusy(true)
    refusal.clear()
    try {
      const token = {
        name: name().trim(),
        permissions: wanted(),
        expires_in_days: days(),
        ...(groups().size === 0 ? {} : { group_ids: [...groups()] })
      }
      setMade(await withStepUp(() => createToken(token, key)))
      void queryClient.invalidateQueries({ queryKey: keys.ownTokens })
    } catch (cause) {
      refusal.say(cause)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog
      open
      onClose={() => props.onClose()}
      title={made() === null ? "Make API token" : `API token ${made()?.name ?? ""}`}
      size="wide"
      keep={made() !== null}
    >
      <Switch>
        <Match when={made()}>{(token) => <Made made={token()} onClose={() => props.onClose()} />}</Match>
        <Match when={true}>
          <form class="form" onSubmit={(event) => void submit(event)}>
            <div class="field">
              <label for="token-name">Name</label>
              <input
                class="inp"
                id="token-name"
                required
                maxlength="100"
                autocomplete="off"
                value={name()}
                onInput={(event) => setName(event.currentTarget.value)}
              />
              <span class="hint">What uses it; it stands in the audit log beside your name.</span>
            </div>
            <div class="field">
              <label for="token-days">Expires after</label>
              <span class="sel">
                <select
                  class="inp"
                  id="token-days"
                  value={days()}
                  onChange={(event) => setDays(Number(event.currentTarget.value))}
                >
                  <For each={lives}>{(life) => <option value={life.days}>{life.words}</option>}</For>
                </select>
                <Icon name="down" />
              </span>
            </div>
            <GroupChoices
              chosen={groups()}
              hint="Ticked, they bound the token: it sees and may do what an operator of these groups can. Without, it sees what you see."
              empty="There are no groups to bound it to: it sees what you see."
              onChange={setGroups}
            />
            <fieldset class="field">
              <legend class="lab">Permissions</legend>
              <div class={styles["permissions"]} tabIndex={0} role="group" aria-label="Permissions">
                <For each={grantable()}>
                  {(permission) => (
                    <label>
                      <input
                        class="ck"
                        type="checkbox"
                        checked={chosen().has(permission)}
                        onChange={(event) => turn(permission, event.currentTarget.checked)}
                      />
                      {permission}
                    </label>
                  )}
                </For>
              </div>
              <span class="hint">
                At most what you may do yourself, and only while you may. Accounts, second factors and trust are never
                among them.
              </span>
            </fieldset>
            <Show when={refusal.words()}>
              {(words) => (
                <p class="fault" role="alert">
                  {words()}
                </p>
              )}
            </Show>
            <div class="actions end">
              <button class="btn" type="button" onClick={() => props.onClose()}>
                Cancel
              </button>
              <button
                class="btn primary"
                type="submit"
                disabled={busy() || name().trim() === "" || wanted().length === 0}
              >
                Make API token
              </button>
            </div>
          </form>
        </Match>
      </Switch>
    </Dialog>
  )
}
