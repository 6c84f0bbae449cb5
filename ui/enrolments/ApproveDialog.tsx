/** Takes a machine in: what it said of itself to check, its name in the list and its groups to choose. */
import { createSignal, For, Show, type JSX } from "solid-js"
import { conflictWords, type Enrolment } from "#core/Enrolment.ts"
import type { GroupId } from "#core/Ids.ts"
import { ApiError } from "../api/ApiError.ts"
import { approveEnrolment } from "../api/enrolments.ts"
import { listGroups } from "../api/groups.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { useData } from "../api/useData.ts"
import { Dialog } from "../kit/Dialog.tsx"
import { Icon } from "../kit/Icon.tsx"
import { say } from "../kit/toasts.ts"
import { Facts } from "./Facts.tsx"
import styles from "./Enrolments.module.css"

const USUAL_PORT = 12443

export default function ApproveDialog(props: { enrolment: Enrolment; onClose: () => void }): JSX.Element {
  const [name, setName] = createSignal("")
  const [port, setPort] = createSignal(String(USUAL_PORT))
  const [chosen, setChosen] = createSignal<ReadonlySet<GroupId>>(new Set())
  const [fault, setFault] = createSignal<string | null>(null)
  const [busy, setBusy] = createSignal(false)
  let field: HTMLInputElement | undefined
  const groups = useData(() => ({
    queryKey: [...keys.groups, "choices"],
    queryFn: ({ signal }) => listGroups({ limit: 500 }, signal)
  }))
  const toggle = (id: GroupId): void => {
    const next = new Set(chosen())
    if (!next.delete(id)) next.add(id)
    setChosen(next)
  }
  const key = crypto.randomUUID()
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    setBusy(true)
    setFault(null)
    try {
      await approveEnrolment(
        props.enrolment.id,
        {
          ...(name().trim() === "" ? {} : { display_name: name().trim() }),
          ...(Number(port()) === USUAL_PORT ? {} : { agent_port: Number(port()) }),
          ...(chosen().size === 0 ? {} : { group_ids: [...chosen()] })
        },
        key
      )
      say(`${props.enrolment.fqdn} is approved; its agent fetches the certificate within a minute`)
      void queryClient.invalidateQueries({ queryKey: keys.hosts })
      void queryClient.invalidateQueries({ queryKey: keys.fleet })
      props.onClose()
    } catch (cause) {
      setFault(cause instanceof ApiError ? cause.message : String(cause))
    } finally {
      setBusy(false)
      void queryClient.invalidateQueries({ queryKey: keys.enrolments })
    }
  }
  const inTheWay = () => props.enrolment.conflicts
  return (
    <Dialog open onClose={() => props.onClose()} title={`Approve ${props.enrolment.fqdn}`} focus={() => field}>
      <form class="form" onSubmit={(event) => void submit(event)}>
        <Facts of={props.enrolment} />
        <Show
          when={inTheWay().length === 0}
          fallback={
            <ul class={styles["conflicts"]}>
              <For each={inTheWay()}>
                {(conflict) => (
                  <li class="st bad">
                    <Icon name="failed" />
                    <span>{conflictWords(conflict)}</span>
                  </li>
                )}
              </For>
            </ul>
          }
        >
          <p class="muted">
            It gets a certificate of its own and is registered as a host. Approve only a machine you know: compare its
            machine id with <span class="mono">/etc/machine-id</span> there.
          </p>
          <div class="field">
            <label for="enrol-name">Display name</label>
            <input
              class="inp"
              id="enrol-name"
              ref={field}
              autocomplete="off"
              maxlength="200"
              placeholder={props.enrolment.hostname ?? props.enrolment.fqdn}
              value={name()}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          </div>
          <div class="field">
            <label for="enrol-port">Agent's port</label>
            <input
              class="inp"
              id="enrol-port"
              type="number"
              min="1"
              max="65535"
              required
              value={port()}
              onInput={(event) => setPort(event.currentTarget.value)}
            />
          </div>
          <Show when={(groups.data?.items.length ?? 0) > 0}>
            <fieldset class={styles["groups"]}>
              <legend class="lab">Groups</legend>
              <For each={groups.data?.items}>
                {(group) => (
                  <label>
                    <input
                      class="ck"
                      type="checkbox"
                      checked={chosen().has(group.id)}
                      onChange={() => toggle(group.id)}
                    />
                    {group.name}
                  </label>
                )}
              </For>
            </fieldset>
          </Show>
        </Show>
        <Show when={fault()}>
          {(words) => (
            <p class="fault" role="alert">
              {words()}
            </p>
          )}
        </Show>
        <div class="actions end">
          <button class="btn" type="button" onClick={() => props.onClose()}>
            {inTheWay().length === 0 ? "Cancel" : "Close"}
          </button>
          <Show when={inTheWay().length === 0}>
            <button class="btn primary" type="submit" disabled={busy()}>
              Approve
            </button>
          </Show>
        </div>
      </form>
    </Dialog>
  )
}
