/** Holds packages on a host, a group or all hosts; or changes why and until when. */
import { createSignal, For, Match, Show, Switch, untrack, type JSX } from "solid-js"
import type { Hold, HoldTarget } from "#core/Hold.ts"
import type { GroupId, HostId } from "#core/Ids.ts"
import { listGroups } from "../api/groups.ts"
import { changeHold, createHold } from "../api/holds.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { user } from "../api/session.ts"
import { useData } from "../api/useData.ts"
import { type Chosen, HostPicker } from "../groups/HostPicker.tsx"
import { FormDialog } from "../kit/FormDialog.tsx"
import { Icon } from "../kit/Icon.tsx"
import { say } from "../kit/toasts.ts"
import { readLocal, writeLocal } from "./localMoment.ts"

type Kind = HoldTarget["kind"]

export default function HoldDialog(props: {
  /** Edits this one instead of making one. */
  hold?: Hold
  /** Where it is about to be, when the page already says so. */
  on?: { readonly target: HoldTarget; readonly name: string }
  onClose: () => void
}): JSX.Element {
  const { hold, on } = untrack(() => ({ hold: props.hold, on: props.on }))
  const [kind, setKind] = createSignal<Kind>(on?.target.kind ?? "host")
  const [host, setHost] = createSignal<Chosen>(new Map())
  const [group, setGroup] = createSignal("")
  const [pattern, setPattern] = createSignal("")
  const [reason, setReason] = createSignal(hold?.reason ?? "")
  const [until, setUntil] = createSignal(hold?.until ? writeLocal(hold.until) : "")
  const groups = useData(() => ({
    queryKey: [...keys.groups, "choices"],
    queryFn: ({ signal }) => listGroups({ limit: 500 }, signal),
    enabled: kind() === "group" && on === undefined
  }))
  const key = crypto.randomUUID()
  const target = (): HoldTarget | null => {
    if (on !== undefined) return on.target
    switch (kind()) {
      case "host": {
        const id: HostId | undefined = [...host().keys()][0]
        return id === undefined ? null : { kind: "host", host_id: id }
      }
      case "group":
        return group() === "" ? null : { kind: "group", group_id: group() as GroupId }
      case "all":
        return { kind: "all" }
    }
  }
  const ready = (): boolean => reason().trim() !== "" && (hold !== undefined || (pattern() !== "" && target() !== null))
  const submit = async (): Promise<void> => {
    const words = { reason: reason().trim(), until: until() === "" ? null : readLocal(until()) }
    const where = target()
    if (hold !== undefined) {
      await changeHold(hold, words)
      say("Hold changed")
    } else if (where !== null) {
      const made = await createHold({ target: where, pattern: pattern().trim(), ...words }, key)
      say(`${made.pattern} is held`)
    }
    void queryClient.invalidateQueries({ queryKey: keys.holds })
  }
  const kinds = (): ReadonlyArray<readonly [Kind, string]> => [
    ["host", "One host"],
    ["group", "A group"],
    ...(user()?.role === "admin" ? ([["all", "All hosts"]] as const) : [])
  ]
  return (
    <FormDialog
      title={hold === undefined ? "Hold packages" : `Edit the hold on ${hold.pattern}`}
      act={hold === undefined ? "Hold" : "Change hold"}
      ready={ready()}
      onClose={() => props.onClose()}
      onSubmit={submit}
    >
      <Show when={hold === undefined}>
        <div class="field">
          <label for="hold-pattern">Package</label>
          <input
            class="inp mono"
            id="hold-pattern"
            required
            maxlength="256"
            autocomplete="off"
            spellcheck={false}
            placeholder="linux-image-*"
            aria-describedby="hold-pattern-hint"
            value={pattern()}
            onInput={(event) => setPattern(event.currentTarget.value)}
          />
          <span class="hint" id="hold-pattern-hint">
            A name; * stands for any characters. Alone it holds every package.
          </span>
        </div>
        <Switch>
          <Match when={on}>{(place) => <p class="muted">Held on {place().name}.</p>}</Match>
          <Match when={true}>
            <div class="field">
              <span class="lab" id="hold-where">
                Where
              </span>
              <span class="seggroup" role="group" aria-labelledby="hold-where">
                <For each={kinds()}>
                  {([name, words]) => (
                    <button type="button" aria-pressed={kind() === name} onClick={() => setKind(name)}>
                      {words}
                    </button>
                  )}
                </For>
              </span>
            </div>
            <Switch>
              <Match when={kind() === "host"}>
                <HostPicker chosen={host()} onChange={setHost} />
              </Match>
              <Match when={kind() === "group"}>
                <div class="field">
                  <label for="hold-group">Group</label>
                  <span class="sel">
                    <select
                      class="inp"
                      id="hold-group"
                      value={group()}
                      onChange={(event) => setGroup(event.currentTarget.value)}
                    >
                      <option value="">Choose a group</option>
                      <For each={groups.data?.items ?? []}>{(one) => <option value={one.id}>{one.name}</option>}</For>
                    </select>
                    <Icon name="down" />
                  </span>
                  <span class="hint">Also on hosts that join the group later.</span>
                </div>
              </Match>
            </Switch>
          </Match>
        </Switch>
      </Show>
      <div class="field">
        <label for="hold-reason">Reason</label>
        <textarea
          class="inp"
          id="hold-reason"
          required
          maxlength="500"
          value={reason()}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
      </div>
      <div class="field">
        <label for="hold-until">Until (your local time)</label>
        <input
          class="inp"
          id="hold-until"
          type="datetime-local"
          value={until()}
          onInput={(event) => setUntil(event.currentTarget.value)}
        />
        <span class="hint">Left empty, it holds until somebody ends it.</span>
      </div>
    </FormDialog>
  )
}
