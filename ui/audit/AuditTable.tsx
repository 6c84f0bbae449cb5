/** Rows of the audit log, newest first; each opens whole. */
import { createSignal, For, Show, type JSX } from "solid-js"
import type { AuditRow } from "#core/audit/AuditRow.ts"
import { Time } from "../kit/Time.tsx"
import { AuditRowDialog } from "./AuditRowDialog.tsx"
import { isRefusal } from "./auditWords.ts"
import styles from "./Audit.module.css"

export const AuditTable = (props: { rows: ReadonlyArray<AuditRow> }): JSX.Element => {
  const [open, setOpen] = createSignal<AuditRow | null>(null)
  return (
    <>
      <div class="scrollx" tabIndex={0} role="group" aria-label="Audit log">
        <table class={`tbl ${styles["table"]}`}>
          <thead>
            <tr>
              <th scope="col" class="num">
                Row
              </th>
              <th scope="col">When</th>
              <th scope="col">Who</th>
              <th scope="col">Action</th>
              <th scope="col">Object</th>
              <th scope="col">From</th>
            </tr>
          </thead>
          <tbody>
            <For each={props.rows}>
              {(row) => (
                <tr>
                  <td class="num">
                    <button
                      class={styles["open"]}
                      type="button"
                      aria-label={`Show row ${row.seq}`}
                      onClick={() => setOpen(row)}
                    >
                      {row.seq}
                    </button>
                  </td>
                  <td class="muted">
                    <Time at={row.at} as="exact" />
                  </td>
                  <td title={row.actor_name}>{row.actor_name}</td>
                  <td class="mono" classList={{ bad: isRefusal(row.action) }} title={row.action}>
                    {row.action}
                  </td>
                  <td title={`${row.object_type} ${row.object_id}`}>
                    <span class="muted">{row.object_type}</span> {row.object_name ?? row.object_id}
                  </td>
                  <td class="mono muted">{row.source_address}</td>
                </tr>
              )}
            </For>
          </tbody>
        </table>
      </div>
      <Show when={open()}>{(row) => <AuditRowDialog row={row()} onClose={() => setOpen(null)} />}</Show>
    </>
  )
}
