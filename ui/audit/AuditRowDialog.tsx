/** One row of the audit log with everything it holds: what changed, from where, and the hashes that chain it. */
import { A } from "@solidjs/router"
import { For, Show, type JSX } from "solid-js"
import type { AuditRow } from "#core/audit/AuditRow.ts"
import { CopyButton } from "../kit/CopyButton.tsx"
import { Dialog } from "../kit/Dialog.tsx"
import { Time } from "../kit/Time.tsx"
import { differences, pageOf } from "./auditWords.ts"
import styles from "./Audit.module.css"

const Hash = (props: { label: string; value: string }): JSX.Element => (
  <>
    <dt>{props.label}</dt>
    <dd class={`mono ${styles["hash"]}`}>
      <span title={props.value}>{props.value}</span>
      <CopyButton text={props.value} label={`Copy ${props.label.toLowerCase()}`} />
    </dd>
  </>
)

export const AuditRowDialog = (props: { row: AuditRow; onClose: () => void }): JSX.Element => {
  const changes = () => differences(props.row.before, props.row.after)
  return (
    <Dialog open onClose={() => props.onClose()} title={`Row ${props.row.seq}: ${props.row.action}`} size="wide">
      <dl class={`kv ${styles["facts"]}`}>
        <dt>When</dt>
        <dd>
          <Time at={props.row.at} as="full" />
        </dd>
        <dt>Who</dt>
        <dd>
          {props.row.actor_name} <span class="muted">({props.row.actor_kind})</span>
        </dd>
        <dt>Object</dt>
        <dd>
          {props.row.object_type}{" "}
          <Show when={pageOf(props.row)} fallback={props.row.object_name ?? props.row.object_id}>
            {(path) => <A href={path()}>{props.row.object_name ?? props.row.object_id}</A>}
          </Show>
        </dd>
        <dt>From</dt>
        <dd class="mono">{props.row.source_address}</dd>
        <dt>Request</dt>
        <dd class="mono">{props.row.request_id}</dd>
        <Hash label="Row hash" value={props.row.row_hash} />
        <Hash label="Hash before" value={props.row.prev_hash} />
      </dl>
      <Show when={changes().length > 0} fallback={<p class="muted">Nothing more was recorded for this action.</p>}>
        <div class="scrollx" tabIndex={0} role="group" aria-label="What changed">
          <table class={`tbl ${styles["diff"]}`}>
            <thead>
              <tr>
                <th scope="col">Field</th>
                <th scope="col">Before</th>
                <th scope="col">After</th>
              </tr>
            </thead>
            <tbody>
              <For each={changes()}>
                {(change) => (
                  <tr classList={{ [styles["changed"] ?? ""]: change.before !== change.after }}>
                    <th scope="row">{change.name}</th>
                    <td class="mono">{change.before ?? "–"}</td>
                    <td class="mono">{change.after ?? "–"}</td>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
        </div>
      </Show>
      <div class="actions end">
        <button class="btn" type="button" onClick={() => props.onClose()}>
          Close
        </button>
      </div>
    </Dialog>
  )
}
