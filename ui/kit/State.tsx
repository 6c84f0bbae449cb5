/** A state: icon and word together, coloured only as much as it matters. */
import { Show, type JSX } from "solid-js"
import type { Shown, Tone } from "../format/states.ts"
import { Icon } from "./Icon.tsx"

const classes: Readonly<Record<Tone, string>> = {
  ok: "st ok",
  warn: "st warn",
  bad: "st bad",
  run: "st run",
  idle: "st idle",
  quiet: "st quietok",
  plain: "st plain",
  none: "st zero light"
}

export const State = (props: { of: Shown; word?: string | undefined; class?: string | undefined }): JSX.Element => (
  <span class={`${classes[props.of.tone]} ${props.class ?? ""}`}>
    <Show when={props.of.tone !== "none"}>
      <Icon name={props.of.icon} />
    </Show>
    {props.word ?? props.of.word}
  </span>
)
