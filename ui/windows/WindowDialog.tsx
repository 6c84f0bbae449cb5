/** Adds a window or a blackout, or changes one, with its next openings as they are typed. */
import { createSignal, For, Match, Show, Switch, untrack, type JSX } from "solid-js"
import type { HostId } from "#core/Ids.ts"
import type { WindowItem } from "#core/Window.ts"
import { listGroups } from "../api/groups.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { user } from "../api/session.ts"
import { useData } from "../api/useData.ts"
import { changeWindow, createWindow } from "../api/windows.ts"
import { type Chosen, HostPicker } from "../groups/HostPicker.tsx"
import { FormDialog } from "../kit/FormDialog.tsx"
import { say } from "../kit/toasts.ts"
import { AutoApplyFields } from "./AutoApplyFields.tsx"
import { Preview } from "./Preview.tsx"
import { Choice, RuleFields, Text } from "./RuleFields.tsx"
import { calendarOf, draftOf, newDraft, type WindowDraft, windowOf } from "./windowDraft.ts"
import styles from "./Windows.module.css"

export default function WindowDialog(props: {
  /** Changes this one instead of adding one. */
  window?: WindowItem
  /** Where it is about to be, when the page already says so. */
  on?: { readonly host_id: HostId; readonly name: string }
  onClose: () => void
}): JSX.Element {
  const { window, on } = untrack(() => ({ window: props.window, on: props.on }))
  const [draft, setDraft] = createSignal<WindowDraft>({
    ...(window === undefined ? newDraft() : draftOf(window)),
    ...(on === undefined ? {} : { scope: "host" as const, host_id: on.host_id })
  })
  const [host, setHost] = createSignal<Chosen>(
    window?.scope.kind === "host" ? new Map([[window.scope.host_id, window.scope_name ?? ""]]) : new Map()
  )
  const change = (part: Partial<WindowDraft>): void => void setDraft((before) => ({ ...before, ...part }))
  const groups = useData(() => ({
    queryKey: [...keys.groups, "choices"],
    queryFn: ({ signal }) => listGroups({ limit: 500 }, signal),
    enabled: draft().scope === "group"
  }))
  const key = crypto.randomUUID()
  const submit = async (): Promise<void> => {
    const wanted = windowOf(draft())
    if (wanted === null) return
    if (window === undefined) {
      await createWindow(wanted, key)
      say(`${wanted.kind === "open" ? "Window" : "Blackout"} “${wanted.name}” added`)
    } else {
      const { kind: _, ...rest } = wanted
      await changeWindow(window, rest)
      say(`“${wanted.name}” changed`)
    }
    void queryClient.invalidateQueries({ queryKey: keys.windows })
  }
  const noun = (): string => (draft().kind === "open" ? "window" : "blackout")
  const scopes = (): ReadonlyArray<readonly [WindowDraft["scope"], string]> => [
    ["group", "A group"],
    ["host", "One host"],
    ...(draft().kind === "blackout" && user()?.role === "admin" ? ([["all", "All hosts"]] as const) : [])
  ]
  return (
    <FormDialog
      title={window === undefined ? `Add ${noun()}` : `Change “${window.name}”`}
      act={window === undefined ? `Add ${noun()}` : "Save changes"}
      size="wide"
      ready={windowOf(draft()) !== null}
      onClose={() => props.onClose()}
      onSubmit={submit}
    >
      <Show when={window === undefined}>
        <span class="seggroup" role="group" aria-label="Kind">
          <button
            type="button"
            aria-pressed={draft().kind === "open"}
            onClick={() => change({ kind: "open", scope: draft().scope === "all" ? "group" : draft().scope })}
          >
            Window
          </button>
          <button type="button" aria-pressed={draft().kind === "blackout"} onClick={() => change({ kind: "blackout" })}>
            Blackout
          </button>
        </span>
        <p class="hint">
          {draft().kind === "open"
            ? "Work on its hosts may start while it is open."
            : "Nothing starts on its hosts, whatever windows say."}
        </p>
      </Show>
      <div class={styles["columns"]}>
        <div class={styles["column"]}>
          <Text label="Name" required value={draft().name} onInput={(name) => change({ name })} />
          <Switch>
            <Match when={on}>
              {(place) => <p class="muted">For {place().name} alone; it replaces its groups' windows.</p>}
            </Match>
            <Match when={true}>
              <div class="field">
                <span class="lab">For</span>
                <span class="seggroup" role="group" aria-label="For">
                  <For each={scopes()}>
                    {([value, words]) => (
                      <button
                        type="button"
                        aria-pressed={draft().scope === value}
                        onClick={() => change({ scope: value })}
                      >
                        {words}
                      </button>
                    )}
                  </For>
                </span>
              </div>
              <Switch>
                <Match when={draft().scope === "host"}>
                  <HostPicker
                    chosen={host()}
                    onChange={(chosen) => {
                      setHost(chosen)
                      change({ host_id: [...chosen.keys()][0] ?? "" })
                    }}
                  />
                  <Show when={draft().kind === "open"}>
                    <span class="hint">A host's own windows replace those of its groups.</span>
                  </Show>
                </Match>
                <Match when={draft().scope === "group"}>
                  <Choice
                    label="Group"
                    value={draft().group_id}
                    choices={[
                      ["", "Choose a group"],
                      ...(groups.data?.items ?? []).map((group): readonly [string, string] => [group.id, group.name])
                    ]}
                    onChange={(group_id) => change({ group_id })}
                  />
                </Match>
              </Switch>
            </Match>
          </Switch>
          <Show when={draft().kind === "open"}>
            <AutoApplyFields draft={draft()} onChange={change} />
          </Show>
        </div>
        <div class={styles["column"]}>
          <RuleFields draft={draft()} onChange={change} />
        </div>
      </div>
      <Preview calendar={calendarOf(draft())} />
    </FormDialog>
  )
}
