/** When a window opens next, and what became of its last openings. */
import { A } from "@solidjs/router"
import { For, Show, type JSX } from "solid-js"
import type { WindowItem } from "#core/Window.ts"
import { ruleWords } from "#core/window/words.ts"
import { keys } from "../api/keys.ts"
import { useData } from "../api/useData.ts"
import { readOpenings } from "../api/windows.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { Dialog } from "../kit/Dialog.tsx"
import { State } from "../kit/State.tsx"
import { Time } from "../kit/Time.tsx"
import { OpeningLine } from "./Preview.tsx"
import { runStates } from "./windowStates.ts"
import styles from "./Windows.module.css"

export default function OpeningsDialog(props: { window: WindowItem; onClose: () => void }): JSX.Element {
  const openings = useData(() => ({
    queryKey: [...keys.windows, "openings", props.window.id],
    queryFn: ({ signal }) => readOpenings(props.window.id, signal)
  }))
  return (
    <Dialog open onClose={() => props.onClose()} title={`Openings of “${props.window.name}”`} size="wide">
      <p class="muted">{ruleWords(props.window)}</p>
      <DataArea query={openings} what="The openings" rows={6}>
        {(data) => (
          <div class={styles["columns"]}>
            <div class={styles["preview"]}>
              <b>Next</b>
              <Show when={data().openings.length > 0} fallback={<p class="muted">None: it is switched off or over.</p>}>
                <ol>
                  <For each={data().openings}>
                    {(opening) => (
                      <OpeningLine
                        zone={props.window.time_zone}
                        opening={{
                          ...opening,
                          opens_at: Date.parse(opening.opens_at),
                          closes_at: Date.parse(opening.closes_at)
                        }}
                      />
                    )}
                  </For>
                </ol>
              </Show>
            </div>
            <div class={styles["preview"]}>
              <b>Last</b>
              <Show
                when={data().runs.length > 0}
                fallback={
                  <p class="muted">
                    Nothing is recorded: what a window does by itself is, and an opening that jobs waited for in vain.
                  </p>
                }
              >
                <ul>
                  <For each={data().runs}>
                    {(run) => (
                      <li>
                        <span>
                          <State of={runStates[run.outcome]} /> <Time at={run.opens_at} />
                        </span>
                        <span class="muted">
                          {run.note}{" "}
                          <Show when={run.job_id}>{(id) => <A href={`/jobs/${id()}`}>Job #{run.job_number}</A>}</Show>
                        </span>
                      </li>
                    )}
                  </For>
                </ul>
              </Show>
            </div>
          </div>
        )}
      </DataArea>
      <div class="actions end">
        <button class="btn" type="button" onClick={() => props.onClose()}>
          Close
        </button>
      </div>
    </Dialog>
  )
}
