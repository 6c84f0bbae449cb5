/** Changes what the manager knows of a host; somebody else's edit in between is not overwritten. */
import { createSignal, Show, untrack, type JSX } from "solid-js"
import type { HostChange, HostDetail } from "#core/Host.ts"
import { ApiError } from "../api/ApiError.ts"
import { changeHost } from "../api/hosts.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { Dialog } from "../kit/Dialog.tsx"
import { say } from "../kit/toasts.ts"

export default function EditHostDialog(props: { host: HostDetail; onClose: () => void }): JSX.Element {
  // The dialog edits the host as it was when it opened; If-Match tells when that is no longer so.
  const { display_name, fqdn, address, agent_port, version, id } = untrack(() => props.host)
  const [name, setName] = createSignal(display_name)
  const [dns, setDns] = createSignal(fqdn ?? "")
  const [where, setWhere] = createSignal(address)
  const [port, setPort] = createSignal(String(agent_port))
  const [fault, setFault] = createSignal<string | null>(null)
  const [busy, setBusy] = createSignal(false)
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const wanted = dns().trim() === "" ? null : dns().trim().toLowerCase()
    const change: HostChange = {
      ...(name().trim() === display_name ? {} : { display_name: name().trim() }),
      ...(wanted === fqdn ? {} : { fqdn: wanted }),
      ...(where().trim() === address ? {} : { address: where().trim() }),
      ...(Number(port()) === agent_port ? {} : { agent_port: Number(port()) })
    }
    if (Object.keys(change).length === 0) {
      props.onClose()
      return
    }
    setBusy(true)
    setFault(null)
    try {
      const changed = await changeHost(id, version, change)
      queryClient.setQueryData(keys.host(id), changed)
      void queryClient.invalidateQueries({ queryKey: keys.hosts })
      say("Host changed")
      props.onClose()
    } catch (cause) {
      if (cause instanceof ApiError && cause.status === 412) {
        setFault("Somebody else changed this host meanwhile. Close this dialog, look at the host, and edit again.")
        void queryClient.invalidateQueries({ queryKey: keys.host(id) })
      } else if (cause instanceof ApiError) {
        setFault(
          [cause.message, ...(cause.details.fields ?? []).map((field) => `${field.path}: ${field.message}`)].join(" ")
        )
      } else {
        setFault(String(cause))
      }
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog open onClose={() => props.onClose()} title={`Edit ${display_name}`}>
      <form class="form" onSubmit={(event) => void submit(event)}>
        <div class="field">
          <label for="edit-name">Display name</label>
          <input
            class="inp"
            id="edit-name"
            required
            maxlength="200"
            value={name()}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </div>
        <div class="field">
          <label for="edit-fqdn">DNS name</label>
          <input
            class="inp"
            id="edit-fqdn"
            spellcheck={false}
            value={dns()}
            onInput={(event) => setDns(event.currentTarget.value)}
          />
        </div>
        <div class="field">
          <label for="edit-address">IP address</label>
          <input
            class="inp"
            id="edit-address"
            required
            spellcheck={false}
            value={where()}
            onInput={(event) => setWhere(event.currentTarget.value)}
          />
          <span class="hint">The host's certificate names its address: issue a new one after a change.</span>
        </div>
        <div class="field">
          <label for="edit-port">Agent's port</label>
          <input
            class="inp"
            id="edit-port"
            type="number"
            min="1"
            max="65535"
            required
            value={port()}
            onInput={(event) => setPort(event.currentTarget.value)}
          />
        </div>
        <Show when={fault()}>
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
          <button class="btn primary" type="submit" disabled={busy()}>
            Change host
          </button>
        </div>
      </form>
    </Dialog>
  )
}
