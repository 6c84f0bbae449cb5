/** What an administrator may change while everything runs; it takes effect within seconds, without a restart. */
import { createSignal, For, Show, untrack, type JSX } from "solid-js"
import { defaultSettings, type Settings, type SettingsChange } from "#core/Settings.ts"
import { ApiError } from "../api/ApiError.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { may } from "../api/session.ts"
import { changeSettings, readSettings } from "../api/settings.ts"
import { useData } from "../api/useData.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { say } from "../kit/toasts.ts"
import { usePage } from "../kit/usePage.ts"
import styles from "./SettingsPage.module.css"

type NumberKey =
  | "health_interval_seconds"
  | "patch_interval_seconds"
  | "agent_concurrency"
  | "audit_verify_interval_hours"

const numbers: ReadonlyArray<{ key: NumberKey; label: string; hint: string; min: number; max: number }> = [
  {
    key: "health_interval_seconds",
    label: "Health poll, seconds",
    hint: "Every host is asked for its health this often, give or take a tenth.",
    min: 30,
    max: 86_400
  },
  {
    key: "patch_interval_seconds",
    label: "Patch poll, seconds",
    hint: "Pending patches are read this often. The full package list follows when they change, and daily.",
    min: 60,
    max: 604_800
  },
  {
    key: "agent_concurrency",
    label: "Agent calls at once",
    hint: "More is quicker and costs more of this machine and of the network. A quarter is kept for commands.",
    min: 1,
    max: 1024
  },
  {
    key: "audit_verify_interval_hours",
    label: "Audit verification, hours",
    hint: "The whole audit log is verified at least this often.",
    min: 1,
    max: 168
  }
]

const networksOf = (text: string): Array<string> =>
  text
    .split(/[\s,]+/)
    .map((part) => part.trim())
    .filter((part) => part !== "")

const words = (cause: unknown): string => {
  if (!(cause instanceof ApiError)) return String(cause)
  if (cause.status === 412)
    return "Somebody else changed the settings meanwhile. They were read again: look at them first."
  return [cause.message, ...(cause.details.fields ?? []).map((field) => `${field.path}: ${field.message}`)].join(" ")
}

const SettingsForm = (props: { settings: Settings }): JSX.Element => {
  const given = untrack(() => props.settings)
  const [values, setValues] = createSignal({ ...given, networks: given.discovery_networks.join("\n") })
  const [fault, setFault] = createSignal<string | null>(null)
  const [busy, setBusy] = createSignal(false)
  const readOnly = !may("settings:change")
  const set = (part: Partial<ReturnType<typeof values>>): void => void setValues({ ...values(), ...part })

  const changeOf = (): SettingsChange => {
    const now = values()
    const networks = networksOf(now.networks)
    return {
      ...Object.fromEntries(numbers.filter(({ key }) => now[key] !== given[key]).map(({ key }) => [key, now[key]])),
      ...(networks.join() === given.discovery_networks.join() ? {} : { discovery_networks: networks }),
      ...(now.pci_profile === given.pci_profile ? {} : { pci_profile: now.pci_profile }),
      ...(now.audit_syslog_target === given.audit_syslog_target
        ? {}
        : { audit_syslog_target: now.audit_syslog_target.trim() })
    }
  }

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    setBusy(true)
    setFault(null)
    try {
      queryClient.setQueryData(keys.settings, await changeSettings(given.version, changeOf()))
      say("Settings changed")
    } catch (cause) {
      setFault(words(cause))
      if (cause instanceof ApiError && cause.status === 412)
        void queryClient.invalidateQueries({ queryKey: keys.settings })
    } finally {
      setBusy(false)
    }
  }

  return (
    <form class={styles["form"]} onSubmit={(event) => void submit(event)}>
      <For each={numbers}>
        {({ hint, key, label, max, min }) => (
          <div class={`field ${styles["row"]}`}>
            <label for={`setting-${key}`}>{label}</label>
            <input
              class="inp"
              id={`setting-${key}`}
              type="number"
              required
              min={min}
              max={max}
              disabled={readOnly}
              value={values()[key]}
              onInput={(event) => set({ [key]: event.currentTarget.valueAsNumber })}
              aria-describedby={`setting-${key}-hint`}
            />
            <span class="hint" id={`setting-${key}-hint`}>
              {hint} Default {defaultSettings[key]}.
            </span>
          </div>
        )}
      </For>
      <div class="field">
        <label for="setting-networks">Discovery networks</label>
        <textarea
          class={`inp ${styles["networks"]}`}
          id="setting-networks"
          spellcheck={false}
          disabled={readOnly}
          placeholder="192.0.2.0/24"
          value={values().networks}
          onInput={(event) => set({ networks: event.currentTarget.value })}
        />
        <span class="hint">Networks that may be searched for agents, one a line. Empty: discovery is refused.</span>
      </div>
      <div class={`field ${styles["row"]}`}>
        <label for="setting-syslog">Log server for audit checkpoints</label>
        <input
          class="inp"
          id="setting-syslog"
          autocomplete="off"
          spellcheck={false}
          placeholder="tls://logs.example.org:6514"
          disabled={readOnly}
          value={values().audit_syslog_target}
          onInput={(event) => set({ audit_syslog_target: event.currentTarget.value })}
        />
        <span class="hint">
          Each signed checkpoint is sent there as well: udp://, tcp:// or tls://. Empty: nowhere.
        </span>
      </div>
      <div class={styles["inline"]}>
        <input
          class="switch"
          id="setting-pci"
          type="checkbox"
          role="switch"
          disabled={readOnly}
          checked={values().pci_profile}
          onChange={(event) => set({ pci_profile: event.currentTarget.checked })}
        />
        <div class="field">
          <label for="setting-pci">PCI profile</label>
          <span class="hint">
            Keeps the audit log and the results of jobs for twelve months instead of six; ends idle sessions after 15
            minutes; takes passwords of 12 characters with letters and digits, none of the last four or of 90 days; lets
            a name wait 30 minutes after ten failed tries.
          </span>
        </div>
      </div>
      <Show when={fault()}>
        {(text) => (
          <p class="fault" role="alert">
            {text()}
          </p>
        )}
      </Show>
      <Show when={!readOnly} fallback={<p class="muted">Only administrators change settings.</p>}>
        <div class="actions">
          <button class="btn primary" type="submit" disabled={busy() || Object.keys(changeOf()).length === 0}>
            Change settings
          </button>
        </div>
      </Show>
    </form>
  )
}

export default function SettingsPage(): JSX.Element {
  const page = usePage(() => "Settings")
  const settings = useData(() => ({ queryKey: keys.settings, queryFn: ({ signal }) => readSettings(signal) }))
  return (
    <main class="main" id="main">
      <div class="head">
        <div>
          <h1 ref={page.ref}>Settings</h1>
          <p class="sub">They take effect within seconds, without a restart, and every change is in the audit log.</p>
        </div>
      </div>
      <DataArea query={settings} what="Settings" rows={5}>
        {(data) => <For each={[data()]}>{(current) => <SettingsForm settings={current} />}</For>}
      </DataArea>
    </main>
  )
}
