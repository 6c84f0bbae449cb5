/** What a machine that asks to join says of itself, and where its request really came from. */
import { Show, type JSX } from "solid-js"
import type { Enrolment } from "#core/Enrolment.ts"
import { plural } from "../format/numbers.ts"
import { Time } from "../kit/Time.tsx"
import { systemWords } from "./enrolmentWords.ts"

export const Facts = (props: { of: Enrolment }): JSX.Element => (
  <div class="facts">
    <div class="fact">
      <span>Address</span>
      <span class="mono">{props.of.address}</span>
    </div>
    <div class="fact">
      <span>Asked from</span>
      <span class="mono">{props.of.source_address}</span>
    </div>
    <div class="fact">
      <span>Machine id</span>
      <span class="mono">{props.of.machine_id}</span>
    </div>
    <div class="fact">
      <span>System</span>
      <span>{systemWords(props.of)}</span>
    </div>
    <div class="fact">
      <span>Asked</span>
      <span>
        <Time at={props.of.asked_at} as="ago" />
        <Show when={props.of.attempts > 1}>, {plural(props.of.attempts, "time")}</Show>
      </span>
    </div>
  </div>
)
