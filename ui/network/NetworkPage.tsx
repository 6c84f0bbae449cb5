/** Who may connect to the manager, which proxies are believed, and where agents may be. */
import { createSignal, For, Show, untrack, type JSX } from "solid-js"
import type { NetworkAccess, NetworkChange } from "#core/AllowList.ts"
import { ApiError } from "../api/ApiError.ts"
import { keys } from "../api/keys.ts"
import { changeNetwork, readNetwork } from "../api/network.ts"
import { queryClient } from "../api/queryClient.ts"
import { may } from "../api/session.ts"
import { useData } from "../api/useData.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { say } from "../kit/toasts.ts"
import { usePage } from "../kit/usePage.ts"
import styles from "./Network.module.css"
import { PendingChange } from "./PendingChange.tsx"

type ListKey = "allowed_networks" | "trusted_proxies" | "agent_networks"

const lists: ReadonlyArray<{ key: ListKey; label: string; hint: string; placeholder: string }> = [
  {
    key: "allowed_networks",
    label: "Allowed networks",
    hint: "Addresses and networks that may connect, one a line: browsers, scripts and agents that enrol. Everybody else is cut off before TLS. Empty: only this machine itself.",
    placeholder: "192.0.2.0/24"
  },
  {
    key: "trusted_proxies",
    label: "Trusted proxies",
    hint: "Reverse proxies in front of the manager. From them X-Forwarded-For says who the client is; from anybody else it is ignored.",
    placeholder: "192.0.2.10"
  },
  {
    key: "agent_networks",
    label: "Agent networks",
    hint: "Hosts are registered and called only here. Empty: anywhere but link-local, metadata and reserved addresses.",
    placeholder: "198.51.100.0/22"
  }
]

const networksOf = (text: string): Array<string> => text.split(/[\s,]+/).filter((part) => part !== "")

const words = (cause: unknown): string => {
  if (!(cause instanceof ApiError)) return String(cause)
  if (cause.status === 412) return "Somebody else changed this meanwhile. It was read again: look at it first."
  return [cause.message, ...(cause.details.fields ?? []).map((field) => `${field.path}: ${field.message}`)].join(" ")
}

const NetworkForm = (props: { access: NetworkAccess }): JSX.Element => {
  const given = untrack(() => props.access)
  const [texts, setTexts] = createSignal<Record<ListKey, string>>({
    allowed_networks: given.allowed_networks.join("\n"),
    trusted_proxies: given.trusted_proxies.join("\n"),
    agent_networks: given.agent_networks.join("\n")
  })
  const [seconds, setSeconds] = createSignal(given.confirm_seconds)
  const [fault, setFault] = createSignal<string | null>(null)
  const [locksOut, setLocksOut] = createSignal(false)
  const [confirmed, setConfirmed] = createSignal(false)
  const [busy, setBusy] = createSignal(false)
  const readOnly = !may("network:change")

  const changeOf = (): NetworkChange => ({
    ...Object.fromEntries(
      lists
        .map(({ key }) => [key, networksOf(texts()[key])] as const)
        .filter(([key, networks]) => networks.join() !== given[key].join())
    ),
    ...(seconds() === given.confirm_seconds ? {} : { confirm_seconds: seconds() })
  })

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    setBusy(true)
    setFault(null)
    try {
      const after = await changeNetwork(given.version, { ...changeOf(), ...(confirmed() ? { confirm: true } : {}) })
      queryClient.setQueryData(keys.network, after)
      say(after.pending === null ? "Access changed" : "Access changed: confirm it, or it is taken back")
    } catch (cause) {
      setFault(words(cause))
      setLocksOut(cause instanceof ApiError && cause.code === "locks_out_editor")
      if (cause instanceof ApiError && cause.status === 412)
        void queryClient.invalidateQueries({ queryKey: keys.network })
    } finally {
      setBusy(false)
    }
  }

  return (
    <form class={styles["form"]} onSubmit={(event) => void submit(event)}>
      <For each={lists}>
        {({ hint, key, label, placeholder }) => (
          <div class="field">
            <label for={`network-${key}`}>{label}</label>
            <textarea
              class={`inp ${styles["networks"]}`}
              id={`network-${key}`}
              spellcheck={false}
              disabled={readOnly}
              placeholder={placeholder}
              value={texts()[key]}
              onInput={(event) => setTexts({ ...texts(), [key]: event.currentTarget.value })}
              aria-describedby={`network-${key}-hint`}
            />
            <span class="hint" id={`network-${key}-hint`}>
              {hint}
            </span>
          </div>
        )}
      </For>
      <div class={`field ${styles["row"]}`}>
        <label for="network-seconds">Time to confirm, seconds</label>
        <input
          class="inp"
          id="network-seconds"
          type="number"
          required
          min={30}
          max={3600}
          disabled={readOnly}
          value={seconds()}
          onInput={(event) => setSeconds(event.currentTarget.valueAsNumber)}
          aria-describedby="network-seconds-hint"
        />
        <span class="hint" id="network-seconds-hint">
          A change of who may connect is taken back after this time unless somebody whom it lets in confirms it.
        </span>
      </div>
      <Show when={fault()}>
        {(text) => (
          <p class="fault" role="alert">
            {text()}
          </p>
        )}
      </Show>
      <Show when={locksOut()}>
        <label class="check">
          <input
            class="ck"
            type="checkbox"
            checked={confirmed()}
            onChange={(event) => setConfirmed(event.currentTarget.checked)}
          />
          Change it although it locks out {given.your_address}
        </label>
      </Show>
      <Show when={!readOnly} fallback={<p class="muted">Only administrators change who may connect.</p>}>
        <div class="actions">
          <button class="btn primary" type="submit" disabled={busy() || Object.keys(changeOf()).length === 0}>
            Change access
          </button>
        </div>
      </Show>
    </form>
  )
}

export default function NetworkPage(): JSX.Element {
  const page = usePage(() => "Access")
  const access = useData(() => ({ queryKey: keys.network, queryFn: ({ signal }) => readNetwork(signal) }))
  return (
    <main class="main" id="main">
      <div class="head">
        <div>
          <h1 ref={page.ref}>Access</h1>
          <p class="sub">
            <Show when={access.data} fallback={<>&nbsp;</>}>
              {(data) => <>You come from {data().your_address}. Changes count within two seconds.</>}
            </Show>
          </p>
        </div>
      </div>
      <DataArea query={access} what="Access" rows={5}>
        {(data) => (
          <>
            <Show when={data().pending}>
              {(pending) => <PendingChange version={data().version} pending={pending()} />}
            </Show>
            <For each={[data()]}>{(current) => <NetworkForm access={current} />}</For>
          </>
        )}
      </DataArea>
    </main>
  )
}
