/** Takes a host out of the fleet; typed confirmation only for the way that gives up on running work. */
import { useNavigate } from "@solidjs/router"
import { createSignal, Show, type JSX } from "solid-js"
import type { HostDetail } from "#core/Host.ts"
import { removeHost } from "../api/hosts.ts"
import { keys } from "../api/keys.ts"
import { outdate, queryClient } from "../api/queryClient.ts"
import { workStates } from "../format/states.ts"
import { Dialog } from "../kit/Dialog.tsx"
import { say, sayFailed } from "../kit/toasts.ts"

export default function RemoveDialog(props: { host: HostDetail; onClose: () => void }): JSX.Element {
  const navigate = useNavigate()
  const [force, setForce] = createSignal(false)
  const [typed, setTyped] = createSignal("")
  const [busy, setBusy] = createSignal(false)
  let cancel: HTMLButtonElement | undefined
  const working = (): boolean => props.host.work !== "idle"
  const ready = (): boolean => !force() || typed().trim() === props.host.display_name
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    setBusy(true)
    try {
      await removeHost(props.host.id, force())
      say(`${props.host.display_name} leaves the fleet`)
      outdate(keys.hosts)
      void queryClient.invalidateQueries({ queryKey: keys.fleet })
      props.onClose()
      navigate("/hosts")
    } catch (cause) {
      sayFailed("The host was not removed", cause)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog open onClose={() => props.onClose()} title={`Remove ${props.host.display_name}`} focus={() => cancel}>
      <form class="form" onSubmit={(event) => void submit(event)}>
        <p class="muted">
          The manager no longer polls or patches this host. Its agent and packages stay as they are. Past jobs and the
          audit log keep its name. To have it back, register it again.
        </p>
        <Show when={working()}>
          <label class="opt">
            <input
              class="ck"
              type="checkbox"
              checked={force()}
              onChange={(event) => setForce(event.currentTarget.checked)}
            />
            Do not wait for its work ({workStates[props.host.work].word.toLowerCase()}); the outcome then stays unknown
          </label>
          <Show when={force()}>
            <div class="field">
              <label for="remove-name">Type {props.host.display_name} to confirm</label>
              <input
                class="inp"
                id="remove-name"
                autocomplete="off"
                value={typed()}
                onInput={(event) => setTyped(event.currentTarget.value)}
              />
            </div>
          </Show>
        </Show>
        <div class="actions end">
          <button class="btn" type="button" ref={cancel} onClick={() => props.onClose()}>
            Cancel
          </button>
          <button class="btn dangerfill" type="submit" disabled={busy() || !ready()}>
            Remove host
          </button>
        </div>
      </form>
    </Dialog>
  )
}
