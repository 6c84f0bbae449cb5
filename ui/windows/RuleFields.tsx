/** On which days, at what time, in which zone and for how long. */
import { createUniqueId, For, Match, Show, Switch, type JSX } from "solid-js"
import type { WeekOfMonth, Weekday } from "#core/Window.ts"
import { weekdays } from "#core/window/weekdays.ts"
import { Icon } from "../kit/Icon.tsx"
import type { WindowDraft } from "./windowDraft.ts"
import styles from "./Windows.module.css"

interface Fields {
  readonly draft: WindowDraft
  readonly onChange: (part: Partial<WindowDraft>) => void
}

export const Choice = <A extends string>(props: {
  label: string
  value: A
  choices: ReadonlyArray<readonly [value: A, words: string]>
  onChange: (value: A) => void
}): JSX.Element => {
  const id = createUniqueId()
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <span class="sel">
        <select
          class="inp"
          id={id}
          value={props.value}
          onChange={(event) => props.onChange(event.currentTarget.value as A)}
        >
          <For each={props.choices}>
            {([value, words]) => (
              <option value={value} selected={value === props.value}>
                {words}
              </option>
            )}
          </For>
        </select>
        <Icon name="down" />
      </span>
    </div>
  )
}

export const Text = (props: {
  label: string
  value: string
  type?: "text" | "date" | "number"
  hint?: string
  list?: string
  placeholder?: string
  min?: number
  max?: number
  required?: boolean
  onInput: (value: string) => void
}): JSX.Element => {
  const id = createUniqueId()
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <input
        class="inp"
        id={id}
        type={props.type ?? "text"}
        autocomplete="off"
        spellcheck={false}
        list={props.list}
        placeholder={props.placeholder}
        min={props.min}
        max={props.max}
        required={props.required}
        value={props.value}
        onInput={(event) => props.onInput(event.currentTarget.value)}
      />
      <Show when={props.hint}>
        <span class="hint">{props.hint}</span>
      </Show>
    </div>
  )
}

const repeats = [
  ["once", "Once"],
  ["daily", "Every day"],
  ["weekly", "Every week"],
  ["monthly_by_day", "Every month, by day"],
  ["monthly_by_weekday", "Every month, by weekday"]
] as const

const weeks = [
  ["1", "First"],
  ["2", "Second"],
  ["3", "Third"],
  ["4", "Fourth"],
  ["last", "Last"]
] as const

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)
const dayChoices = weekdays.map((day) => [day, capital(day)] as const)

const Weekdays = (props: Fields): JSX.Element => {
  const toggle = (day: Weekday): void => {
    const chosen = props.draft.weekdays
    props.onChange({ weekdays: chosen.includes(day) ? chosen.filter((one) => one !== day) : [...chosen, day] })
  }
  return (
    <div class="field">
      <span class="lab">On</span>
      <span class={`seggroup ${styles["days"]}`} role="group" aria-label="Weekdays">
        <For each={weekdays}>
          {(day) => (
            <button
              type="button"
              aria-label={capital(day)}
              aria-pressed={props.draft.weekdays.includes(day)}
              onClick={() => toggle(day)}
            >
              {capital(day).slice(0, 3)}
            </button>
          )}
        </For>
      </span>
    </div>
  )
}

const Days = (props: Fields): JSX.Element => (
  <Switch>
    <Match when={props.draft.repeats === "once"}>
      <Text
        label="Day"
        type="date"
        required
        value={props.draft.on_date}
        onInput={(on_date) => props.onChange({ on_date })}
      />
    </Match>
    <Match when={props.draft.repeats === "weekly"}>
      <Weekdays draft={props.draft} onChange={(part) => props.onChange(part)} />
    </Match>
    <Match when={props.draft.repeats === "monthly_by_day"}>
      <Text
        label="Day of the month"
        type="number"
        min={1}
        max={31}
        value={props.draft.day}
        hint="A shorter month has it on its last day; 31 is the last day of every month."
        onInput={(day) => props.onChange({ day })}
      />
    </Match>
    <Match when={props.draft.repeats === "monthly_by_weekday"}>
      <div class={styles["pair"]}>
        <Choice
          label="Which"
          value={String(props.draft.week) as (typeof weeks)[number][0]}
          choices={weeks}
          onChange={(week) => props.onChange({ week: week === "last" ? week : (Number(week) as WeekOfMonth) })}
        />
        <Choice
          label="Weekday"
          value={props.draft.weekday}
          choices={dayChoices}
          onChange={(weekday) => props.onChange({ weekday })}
        />
      </div>
    </Match>
  </Switch>
)

export const RuleFields = (props: Fields): JSX.Element => (
  <>
    <Choice
      label="Repeats"
      value={props.draft.repeats}
      choices={repeats}
      onChange={(kind) => props.onChange({ repeats: kind })}
    />
    <Days draft={props.draft} onChange={(part) => props.onChange(part)} />
    <div class={styles["three"]}>
      <Text
        label="Opens at"
        placeholder="02:30"
        required
        value={props.draft.at}
        onInput={(at) => props.onChange({ at })}
      />
      <Text
        label="Hours"
        type="number"
        min={0}
        value={props.draft.hours}
        onInput={(hours) => props.onChange({ hours })}
      />
      <Text
        label="Minutes"
        type="number"
        min={0}
        max={59}
        value={props.draft.minutes}
        onInput={(minutes) => props.onChange({ minutes })}
      />
    </div>
    <Text
      label="Time zone"
      value={props.draft.time_zone}
      list="window-zones"
      required
      hint="The clocks it goes by, such as Europe/Berlin; not the hosts' own."
      onInput={(time_zone) => props.onChange({ time_zone })}
    />
    <datalist id="window-zones">
      <For each={["UTC", ...Intl.supportedValuesOf("timeZone")]}>{(zone) => <option value={zone} />}</For>
    </datalist>
    <details class={styles["more"]}>
      <summary>First and last day, days on which it stays closed</summary>
      <Show when={props.draft.repeats !== "once"}>
        <div class={styles["pair"]}>
          <Text
            label="First day"
            type="date"
            value={props.draft.from_date}
            onInput={(from_date) => props.onChange({ from_date })}
          />
          <Text
            label="Last day"
            type="date"
            value={props.draft.until_date}
            onInput={(until_date) => props.onChange({ until_date })}
          />
        </div>
      </Show>
      <Text
        label="Does not open on"
        value={props.draft.blackout_dates}
        hint="Dates such as 2026-12-24, with spaces between them."
        onInput={(blackout_dates) => props.onChange({ blackout_dates })}
      />
    </details>
  </>
)
