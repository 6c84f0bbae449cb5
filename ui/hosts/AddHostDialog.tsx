/** Registers a host by name or address, then hands over its certificate, key and commands: once. */
import { useNavigate } from "@solidjs/router"
import { createSignal, For, Match, Show, Switch, type JSX } from "solid-js"
import type { HostDetail, IssuedCertificate, NewHost } from "#core/Host.ts"
import type { GroupId } from "#core/Ids.ts"
import { ApiError } from "../api/ApiError.ts"
import { listGroups } from "../api/groups.ts"
import { createHost, issueCertificate } from "../api/hosts.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { may, user } from "../api/session.ts"
import { useData } from "../api/useData.ts"
import { Dialog } from "../kit/Dialog.tsx"
import { Icon } from "../kit/Icon.tsx"
import { IssuedOnce } from "./IssuedOnce.tsx"
import { readAddress } from "./readAddress.ts"

const USUAL_PORT = 12443

export default function AddHostDialog(props: { onClose: () => void }): JSX.Element {
  const navigate = useNavigate()
  const [where, setWhere] = createSignal("")
  const [port, setPort] = createSignal(String(USUAL_PORT))
  const [name, setName] = createSignal("")
  const [fault, setFault] = createSignal<ApiError | null>(null)
  const [local, setLocal] = createSignal<string | null>(null)
  const [busy, setBusy] = createSignal(false)
  const [host, setHost] = createSignal<HostDetail | null>(null)
  const [issued, setIssued] = createSignal<IssuedCertificate | null>(null)
  // One key for one registration, however often the button is pressed after a lost answer.
  const key = crypto.randomUUID()
  let field: HTMLInputElement | undefined
  const groups = useData(() => ({
    queryKey: [...keys.groups, "choices"],
    queryFn: ({ signal }) => listGroups({ limit: 500 }, signal)
  }))
  const [group, setGroup] = createSignal("")
  /** An operator with one group has nothing to choose. */
  const choices = () => groups.data?.items ?? []
  const mustChoose = (): boolean => user()?.role === "operator" && choices().length > 0

  const issue = async (id: string): Promise<void> => {
    setBusy(true)
    setFault(null)
    try {
      setIssued(await issueCertificate(id))
    } catch (cause) {
      setFault(cause instanceof ApiError ? cause : null)
    } finally {
      setBusy(false)
    }
  }
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    setFault(null)
    const place = readAddress(where())
    setLocal(place.kind === "fault" ? place.words : null)
    if (place.kind === "fault") return
    const body: NewHost = {
      ...(place.kind === "fqdn" ? { fqdn: place.value } : { address: place.value }),
      agent_port: Number(port()),
      ...(name().trim() === "" ? {} : { display_name: name().trim() }),
      ...(group() === "" ? {} : { group_ids: [group() as GroupId] })
    }
    setBusy(true)
    try {
      const created = await createHost(body, key)
      setHost(created)
      void queryClient.invalidateQueries({ queryKey: keys.hosts })
      void queryClient.invalidateQueries({ queryKey: keys.fleet })
      if (may("certificates:issue")) await issue(created.id)
    } catch (cause) {
      setFault(cause instanceof ApiError ? cause : null)
      if (!(cause instanceof ApiError)) setLocal(String(cause))
    } finally {
      setBusy(false)
    }
  }
  const done = (): void => {
    const made = host()
    props.onClose()
    if (made !== null) navigate(`/hosts/${made.id}`)
  }
  return (
    <Dialog
      open
      onClose={() => props.onClose()}
      title={host() === null ? "Add host" : `${host()?.display_name} is registered`}
      size={issued() === null ? "small" : "wide"}
      focus={() => field}
      keep={issued() !== null}
    >
      <Switch>
        <Match when={host() === null}>
          <form class="form" onSubmit={(event) => void submit(event)}>
            <div class="field">
              <label for="host-where">Name or IP address</label>
              <input
                class="inp"
                id="host-where"
                ref={field}
                required
                autocomplete="off"
                spellcheck={false}
                placeholder="web-01.example.org or 192.0.2.17"
                aria-describedby="host-where-hint"
                value={where()}
                onInput={(event) => setWhere(event.currentTarget.value)}
              />
              <span
                class={(local() ?? fault()?.field("fqdn") ?? fault()?.field("address")) ? "fault" : "hint"}
                id="host-where-hint"
              >
                {local() ??
                  fault()?.field("fqdn") ??
                  fault()?.field("address") ??
                  "A name is resolved once, now. The agent must answer there."}
              </span>
            </div>
            <div class="field">
              <label for="host-port">Agent's port</label>
              <input
                class="inp"
                id="host-port"
                type="number"
                min="1"
                max="65535"
                required
                value={port()}
                onInput={(event) => setPort(event.currentTarget.value)}
              />
            </div>
            <div class="field">
              <label for="host-name">Display name</label>
              <input
                class="inp"
                id="host-name"
                autocomplete="off"
                maxlength="200"
                placeholder="The name or address"
                value={name()}
                onInput={(event) => setName(event.currentTarget.value)}
              />
            </div>
            <Show when={user()?.role === "operator" && groups.data?.items.length === 0}>
              <p class="hint">You belong to no group, so the host goes into none: every operator sees it.</p>
            </Show>
            <Show when={choices().length > 0}>
              <div class="field">
                <label for="host-group">Group</label>
                <span class="sel">
                  <select
                    class="inp"
                    id="host-group"
                    required={mustChoose() && choices().length > 1}
                    value={group()}
                    onChange={(event) => setGroup(event.currentTarget.value)}
                  >
                    <Show when={!mustChoose() || choices().length > 1}>
                      <option value="">
                        {mustChoose() ? "Choose one of your groups" : "None: every operator sees it"}
                      </option>
                    </Show>
                    <For each={choices()}>{(one) => <option value={one.id}>{one.name}</option>}</For>
                  </select>
                  <Icon name="down" />
                </span>
              </div>
            </Show>
            <Show when={fault()}>
              {(error) => (
                <p class="fault" role="alert">
                  {error().message}
                </p>
              )}
            </Show>
            <div class="actions end">
              <button class="btn" type="button" onClick={() => props.onClose()}>
                Cancel
              </button>
              <button class="btn primary" type="submit" disabled={busy()}>
                Add host
              </button>
            </div>
          </form>
        </Match>
        <Match when={issued()}>
          {(once) => (
            <>
              <IssuedOnce issued={once()} name={host()?.display_name ?? "host"} />
              <div class="actions end">
                <button class="btn primary" type="button" onClick={done}>
                  I have kept the key
                </button>
              </div>
            </>
          )}
        </Match>
        <Match when={true}>
          <p class="muted">
            <Show
              when={may("certificates:issue")}
              fallback="An administrator has to issue its certificate before the manager can talk to it."
            >
              {fault()?.message ?? "Its certificate is being made."}
            </Show>
          </p>
          <div class="actions end">
            <Show when={may("certificates:issue") && !busy()}>
              <button class="btn" type="button" onClick={() => void issue(host()?.id ?? "")}>
                Issue certificate
              </button>
            </Show>
            <button class="btn primary" type="button" onClick={done}>
              Go to the host
            </button>
          </div>
        </Match>
      </Switch>
    </Dialog>
  )
}
