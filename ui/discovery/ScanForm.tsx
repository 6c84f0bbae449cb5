/** Which network to scan, and on which port agents listen there. */
import { createSignal, Show, type JSX } from "solid-js"
import type { DiscoveryScan } from "#core/Discovery.ts"
import { networkSize, readNetwork } from "#core/network.ts"
import { ApiError } from "../api/ApiError.ts"
import { startScan } from "../api/discovery.ts"
import { plural } from "../format/numbers.ts"
import { Icon } from "../kit/Icon.tsx"
import styles from "./Discovery.module.css"

const USUAL_PORT = 12443

export const ScanForm = (props: { busy: boolean; onStarted: (scan: DiscoveryScan) => void }): JSX.Element => {
  const [cidr, setCidr] = createSignal("")
  const [port, setPort] = createSignal(String(USUAL_PORT))
  const [fault, setFault] = createSignal<string | null>(null)
  const [sending, setSending] = createSignal(false)
  const hint = (): string => {
    const network = readNetwork(cidr())
    if (network === null) return "In CIDR notation, 1,024 addresses at most: a /22."
    const size = networkSize(network)
    return size > 1_000_000n ? "More than a million addresses." : `${plural(Number(size), "address", "addresses")}.`
  }
  // One key for one scan, however often the button is pressed after a lost answer.
  let key = crypto.randomUUID()
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    setFault(null)
    setSending(true)
    try {
      props.onStarted(await startScan({ cidr: cidr().trim(), port: Number(port()) }, key))
      key = crypto.randomUUID()
    } catch (cause) {
      const refused = cause instanceof ApiError ? cause : null
      setFault(refused?.details.fields?.[0]?.message ?? refused?.message ?? String(cause))
      if (refused !== null && refused.status > 0) key = crypto.randomUUID()
    } finally {
      setSending(false)
    }
  }
  return (
    <form class={`card ${styles["form"]}`} onSubmit={(event) => void submit(event)} aria-label="New scan">
      <div class={`field ${styles["network"]}`}>
        <label for="scan-network">Network</label>
        <input
          class="inp"
          id="scan-network"
          required
          autocomplete="off"
          spellcheck={false}
          placeholder="10.1.2.0/24"
          aria-describedby="scan-network-hint"
          aria-invalid={fault() !== null}
          value={cidr()}
          onInput={(event) => {
            setCidr(event.currentTarget.value)
            setFault(null)
          }}
        />
        <span id="scan-network-hint" class={fault() ? "fault" : "hint"} role={fault() ? "alert" : undefined}>
          {fault() ?? hint()}
        </span>
      </div>
      <div class={`field ${styles["port"]}`}>
        <label for="scan-port">Agent's port</label>
        <input
          class="inp"
          id="scan-port"
          type="number"
          min="1"
          max="65535"
          required
          value={port()}
          onInput={(event) => setPort(event.currentTarget.value)}
        />
      </div>
      <button class={`btn primary ${styles["start"]}`} type="submit" disabled={sending() || props.busy}>
        <Icon name="search" />
        Scan
      </button>
      <Show when={props.busy}>
        <span class="hint">One scan at a time: wait for the one below, or cancel it.</span>
      </Show>
    </form>
  )
}
