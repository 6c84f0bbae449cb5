/** What is wrong with the windows of the coming weeks. */
import { A } from "@solidjs/router"
import { createMemo, For, Show, type JSX } from "solid-js"
import type { SimulationAnswer } from "#core/Window.ts"
import { durationWords } from "#core/window/words.ts"
import { plural } from "../format/numbers.ts"
import { Icon } from "../kit/Icon.tsx"
import { Time } from "../kit/Time.tsx"
import styles from "./Windows.module.css"

const SHOWN = 20

export const Findings = (props: { answer: SimulationAnswer }): JSX.Element => {
  const names = createMemo(() => new Map(props.answer.windows.map((window) => [window.id, window.name])))
  const name = (id: SimulationAnswer["windows"][number]["id"]): string => names().get(id) ?? ""
  const total = (): number =>
    props.answer.clashes.length + props.answer.too_short.length + (props.answer.never_covered.length > 0 ? 1 : 0)
  return (
    <section class="card" aria-labelledby="h-findings">
      <header>
        <h2 id="h-findings">Findings</h2>
        <span class="muted sm">{total() === 0 ? "none" : plural(total(), "finding")}</span>
      </header>
      <Show
        when={total() > 0}
        fallback={
          <p class={`st quietok ${styles["fine"]}`}>
            <Icon name="check" />
            No clash, no window too short, and every host has one that opens.
          </p>
        }
      >
        <ul class={styles["findings"]}>
          <For each={props.answer.clashes}>
            {(clash) => (
              <li>
                <span class="st warn">
                  <Icon name="warning" />
                  Clash
                </span>
                <span>
                  “{name(clash.window_ids[0])}” and “{name(clash.window_ids[1])}” patch{" "}
                  {plural(clash.hosts.length, "host")} at the same time, {plural(clash.times, "time")}, first{" "}
                  <Time at={clash.first_at} />. The second job waits for the first.
                </span>
              </li>
            )}
          </For>
          <For each={props.answer.too_short}>
            {(finding) => (
              <li>
                <span class="st warn">
                  <Icon name="clock" />
                  Too short
                </span>
                <span>
                  “{name(finding.window_id)}” is open for {durationWords(finding.shortest_minutes)};{" "}
                  {plural(finding.hosts.length, "host")} took longer before: {durationWords(finding.median_minutes)} as
                  a rule, up to {durationWords(finding.p95_minutes)}.
                </span>
              </li>
            )}
          </For>
          <Show when={props.answer.never_covered.length > 0}>
            <li>
              <span class="st bad">
                <Icon name="lost" />
                Never covered
              </span>
              <div>
                <p>{plural(props.answer.never_covered.length, "host")} may not be worked on at all in these weeks.</p>
                <details>
                  <summary>Which ones, and why</summary>
                  <ul>
                    <For each={props.answer.never_covered.slice(0, SHOWN)}>
                      {(finding) => (
                        <li>
                          <A href={`/hosts/${props.answer.hosts[finding.host]?.id ?? ""}/windows`}>
                            {props.answer.hosts[finding.host]?.display_name}
                          </A>
                          <span class="muted"> {finding.why}</span>
                        </li>
                      )}
                    </For>
                  </ul>
                  <Show when={props.answer.never_covered.length > SHOWN}>
                    <p class="muted">and {props.answer.never_covered.length - SHOWN} more</p>
                  </Show>
                </details>
              </div>
            </li>
          </Show>
        </ul>
      </Show>
    </section>
  )
}
