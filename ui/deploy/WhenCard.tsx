/** When it may start, and how it spreads over the hosts. */
import { Show, type JSX } from "solid-js"
import type { Draft } from "./draft.ts"
import { Check, Options } from "./Options.tsx"
import styles from "./DeployPage.module.css"

const Line = (props: {
  id: string
  label: string
  hint: string
  value: string
  placeholder: string
  onInput: (value: string) => void
}): JSX.Element => (
  <div class="field">
    <label for={props.id}>{props.label}</label>
    <input
      class="inp"
      id={props.id}
      autocomplete="off"
      placeholder={props.placeholder}
      value={props.value}
      aria-describedby={`${props.id}-hint`}
      onInput={(event) => props.onInput(event.currentTarget.value)}
    />
    <span class="hint" id={`${props.id}-hint`}>
      {props.hint}
    </span>
  </div>
)

export const WhenCard = (props: { draft: Draft; onChange: (part: Partial<Draft>) => void }): JSX.Element => (
  <section class="card" aria-labelledby="h-when">
    <header>
      <h2 id="h-when">When</h2>
    </header>
    <div class={styles["form"]}>
      <Options
        name="when"
        label="Start"
        value={props.draft.when}
        onChange={(when) => props.onChange({ when })}
        options={[
          {
            value: "next_window",
            words: "In the next window",
            hint: "Each host in its own; what does not fit runs in the one after."
          },
          { value: "at", words: "At a time", hint: "It has to lie inside a window of each host." },
          { value: "immediate", words: "Now", hint: "Outside of windows too, but not during a blackout." }
        ]}
      />
      <Show when={props.draft.when === "at"}>
        <div class="field">
          <label for="deploy-at">Start at, your time</label>
          <input
            class="inp"
            id="deploy-at"
            type="datetime-local"
            value={props.draft.at}
            onInput={(event) => props.onChange({ at: event.currentTarget.value })}
          />
        </div>
      </Show>
      <Show when={props.draft.when === "immediate"}>
        <Check
          label="Also during a blackout"
          checked={props.draft.ignore_blackout}
          onChange={(ignore_blackout) => props.onChange({ ignore_blackout })}
        />
      </Show>
      <div class={styles["two"]}>
        <Line
          id="deploy-most"
          label="At once"
          hint="Hosts at work together."
          placeholder="32"
          value={props.draft.max_concurrency}
          onInput={(max_concurrency) => props.onChange({ max_concurrency })}
        />
        <Line
          id="deploy-limit"
          label="Stop when more than"
          hint="Hosts or % fail or turn unhealthy."
          placeholder="3 or 10%"
          value={props.draft.error_limit}
          onInput={(error_limit) => props.onChange({ error_limit })}
        />
      </div>
      <Line
        id="deploy-waves"
        label="Waves"
        hint="The first ones by number or percent; the rest follows when they have ended."
        placeholder="1, 10%"
        value={props.draft.waves}
        onInput={(waves) => props.onChange({ waves })}
      />
      <details>
        <summary>Checks and exceptions</summary>
        <Options
          name="on-change"
          label="Another candidate than planned"
          value={props.draft.on_change}
          onChange={(on_change) => props.onChange({ on_change })}
          options={[
            { value: "stop", words: "Leave that host alone", hint: "It ends as plan changed; nothing is sent." },
            { value: "take", words: "Take what there is" }
          ]}
        />
        <Check
          label="Install exactly the planned versions"
          hint="By version number instead of the newest by name."
          checked={props.draft.pin_versions}
          onChange={(pin_versions) => props.onChange({ pin_versions })}
        />
        <Check
          label="Leave degraded hosts alone"
          checked={props.draft.stop_degraded}
          onChange={(stop_degraded) => props.onChange({ stop_degraded })}
        />
        <Check
          label="Leave hosts alone that cannot be checked"
          hint="Agents too old to tell about services or the package database."
          checked={props.draft.stop_unknown}
          onChange={(stop_unknown) => props.onChange({ stop_unknown })}
        />
        <Check
          label="Refuse if a host is busy"
          hint="Otherwise the job waits for it."
          checked={props.draft.refuse_busy}
          onChange={(refuse_busy) => props.onChange({ refuse_busy })}
        />
      </details>
      <div class="field">
        <label for="deploy-notes">Title or notes</label>
        <textarea
          class="inp"
          id="deploy-notes"
          rows="2"
          maxlength="2000"
          value={props.draft.notes}
          onInput={(event) => props.onChange({ notes: event.currentTarget.value })}
        />
      </div>
    </div>
  </section>
)
