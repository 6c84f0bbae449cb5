/** "Apply now": which updates, what about restarts, and what that means in one sentence; then the job's page. */
import { useNavigate } from "@solidjs/router"
import { createMemo, createSignal, For, Show, untrack, type JSX } from "solid-js"
import type { HostItem } from "#core/Host.ts"
import type { HostId } from "#core/Ids.ts"
import type { NewJob } from "#core/Job.ts"
import type { RebootPolicy } from "#core/Order.ts"
import { ApiError } from "../api/ApiError.ts"
import { createJob } from "../api/jobs.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { count, plural } from "../format/numbers.ts"
import { Dialog } from "../kit/Dialog.tsx"
import { Icon } from "../kit/Icon.tsx"
import { consequences, readNames, type Choice } from "./consequences.ts"
import styles from "./ApplyDialog.module.css"

const MOST_HOSTS = 10_000

const policies: ReadonlyArray<{ readonly value: RebootPolicy; readonly words: string; readonly hint: string }> = [
  { value: "never", words: "Never", hint: "A restart that is owed stays owed." },
  { value: "if_needed", words: "If needed", hint: "Only hosts that ask for it after the updates." },
  { value: "always", words: "Always", hint: "Every host, also without need." }
]

export default function ApplyDialog(props: {
  hosts: ReadonlyArray<HostItem>
  /** Chosen on the host's page; makes "Chosen packages" the first choice. */
  names?: ReadonlyArray<string> | undefined
  onClose: () => void
}): JSX.Element {
  const navigate = useNavigate()
  const preset = untrack(() => props.names)
  const [choice, setChoice] = createSignal<Choice>(preset === undefined ? "all" : "packages")
  const [names, setNames] = createSignal((preset ?? []).join(" "))
  const [reboot, setReboot] = createSignal<RebootPolicy>("if_needed")
  const [delay, setDelay] = createSignal("0")
  const [fault, setFault] = createSignal<string | null>(null)
  const [busy, setBusy] = createSignal(false)
  const key = crypto.randomUUID()
  let cancel: HTMLButtonElement | undefined

  const wanted = createMemo(() => readNames(names()))
  const outcome = createMemo(() =>
    consequences({
      hosts: props.hosts,
      choice: choice(),
      names: wanted().names,
      reboot: reboot(),
      delay_minutes: Number(delay())
    })
  )
  const ready = (): boolean =>
    outcome().hosts > 0 &&
    props.hosts.length <= MOST_HOSTS &&
    (choice() !== "packages" || (wanted().names.length > 0 && wanted().wrong.length === 0))

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    setBusy(true)
    setFault(null)
    const now = choice()
    const job: NewJob = {
      kind: "patch_apply",
      when: { kind: "immediate" },
      host_ids: props.hosts.map(({ id }): HostId => id),
      selection: now === "packages" ? { kind: "packages", names: wanted().names } : { kind: now },
      reboot: reboot(),
      reboot_delay_seconds: reboot() === "never" ? 0 : Math.round(Number(delay()) * 60),
      on_busy: "queue"
    }
    try {
      const made = await createJob(job, key)
      void queryClient.invalidateQueries({ queryKey: keys.jobs })
      void queryClient.invalidateQueries({ queryKey: keys.fleet })
      props.onClose()
      navigate(`/jobs/${made.id}`)
    } catch (cause) {
      setFault(
        cause instanceof ApiError
          ? [cause.message, ...(cause.details.fields ?? []).map(({ path, message }) => `${path}: ${message}`)].join(" ")
          : String(cause)
      )
    } finally {
      setBusy(false)
    }
  }
  const title = (): string => {
    const [only] = props.hosts
    return props.hosts.length === 1 && only !== undefined
      ? `Apply patches on ${only.display_name}`
      : `Apply patches on ${plural(props.hosts.length, "host")}`
  }
  return (
    <Dialog open onClose={() => props.onClose()} title={title()} focus={() => cancel}>
      <form class="form" onSubmit={(event) => void submit(event)}>
        <fieldset class={styles["group"]}>
          <legend class="lab">Updates</legend>
          <label class={styles["option"]}>
            <input
              class="rd"
              type="radio"
              name="choice"
              checked={choice() === "all"}
              onChange={() => setChoice("all")}
            />
            <span>All pending</span>
            <span class="muted">{plural(outcome().pending, "update")}</span>
          </label>
          <label class={styles["option"]}>
            <input
              class="rd"
              type="radio"
              name="choice"
              checked={choice() === "security"}
              onChange={() => setChoice("security")}
            />
            <span>Security only</span>
            <span class="muted">{plural(outcome().security, "update")}</span>
          </label>
          <label class={styles["option"]}>
            <input
              class="rd"
              type="radio"
              name="choice"
              checked={choice() === "packages"}
              onChange={() => setChoice("packages")}
            />
            <span>Chosen packages</span>
            <Show when={choice() === "packages"}>
              <span class="muted">{count(wanted().names.length)}</span>
            </Show>
          </label>
          <Show when={choice() === "packages"}>
            <div class="field">
              <label class="vh" for="apply-names">
                Package names
              </label>
              <textarea
                class="inp mono"
                id="apply-names"
                rows="2"
                spellcheck={false}
                placeholder="openssl libssl3 curl"
                aria-describedby="apply-names-hint"
                value={names()}
                onInput={(event) => setNames(event.currentTarget.value)}
              />
              <span class={wanted().wrong.length > 0 ? "fault" : "hint"} id="apply-names-hint">
                {wanted().wrong.length > 0
                  ? `Not a package name: ${wanted().wrong.join(", ")}`
                  : "Names, with spaces or commas between. A host on which none of them is pending has nothing to do."}
              </span>
            </div>
          </Show>
        </fieldset>
        <fieldset class={styles["group"]}>
          <legend class="lab">Restart</legend>
          <For each={policies}>
            {(policy) => (
              <label class={styles["option"]}>
                <input
                  class="rd"
                  type="radio"
                  name="reboot"
                  checked={reboot() === policy.value}
                  onChange={() => setReboot(policy.value)}
                />
                <span>{policy.words}</span>
                <span class="muted">{policy.hint}</span>
              </label>
            )}
          </For>
          <Show when={reboot() !== "never"}>
            <div class={styles["delay"]}>
              <label for="apply-delay">Wait before the restart</label>
              <input
                class="inp"
                id="apply-delay"
                type="number"
                min="0"
                max="1440"
                step="1"
                required
                value={delay()}
                onInput={(event) => setDelay(event.currentTarget.value)}
              />
              <span class="muted">min</span>
            </div>
          </Show>
        </fieldset>
        <div class={styles["words"]}>
          <Icon name="info" />
          <p>
            {outcome().sentence}
            <For each={outcome().notes}>{(note) => <small>{note}</small>}</For>
          </p>
        </div>
        <Show when={props.hosts.length > MOST_HOSTS}>
          <p class="fault" role="alert">
            One job takes at most {count(MOST_HOSTS)} hosts. Narrow the filter.
          </p>
        </Show>
        <Show when={fault()}>
          {(words) => (
            <p class="fault" role="alert">
              {words()}
            </p>
          )}
        </Show>
        <div class="actions end">
          <button class="btn" type="button" ref={cancel} onClick={() => props.onClose()}>
            Cancel
          </button>
          <button class="btn primary" type="submit" disabled={busy() || !ready()}>
            <Icon name="deploy" />
            Apply on {plural(props.hosts.length, "host")}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
