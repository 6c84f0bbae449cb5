/** The plan as the server made it: numbers, what changes by package, what happens to each host and what is left alone. */
import { A } from "@solidjs/router"
import { createMemo, createSignal, For, Show, type JSX } from "solid-js"
import type { Plan, PlannedHost } from "#core/Plan.ts"
import { count, plural } from "../format/numbers.ts"
import { formatMoment } from "../format/time.ts"
import { undoStates } from "../format/states.ts"
import { waitWords } from "../format/waitWords.ts"
import { Icon } from "../kit/Icon.tsx"
import { StackedBar } from "../kit/StackedBar.tsx"
import { State } from "../kit/State.tsx"
import { preferences } from "../shell/preferences.ts"
import { planNumbers, skippedWords, type PackageRow } from "./planNumbers.ts"
import styles from "./DeployPage.module.css"

const SHOWN = 200

const some = (versions: ReadonlyArray<string>): string =>
  versions.length <= 1 ? (versions[0] ?? "–") : `${versions[0]} +${versions.length - 1}`

const startWords = (host: PlannedHost): string => {
  if (host.skipped !== null) return skippedWords[host.skipped]
  if (host.waits_for !== null) return waitWords(host.waits_for, preferences.zone)
  return host.starts_at === null ? "Cannot be said" : formatMoment(host.starts_at, preferences.zone)
}

const changeWords = (host: PlannedHost): string =>
  host.changes === null ? "Not read yet" : host.changes.length === 0 ? "–" : plural(host.changes.length, "package")

const restartWords = { no: "No", yes: "Yes", if_needed: "If needed", cannot_be_known: "Can't tell" } as const

const Packages = (props: { rows: ReadonlyArray<PackageRow> }): JSX.Element => (
  <table class="tbl">
    <thead>
      <tr>
        <th scope="col">Package</th>
        <th scope="col">From</th>
        <th scope="col">To</th>
        <th scope="col" class="num">
          Hosts
        </th>
      </tr>
    </thead>
    <tbody>
      <For each={props.rows.slice(0, SHOWN)}>
        {(row) => (
          <tr>
            <td class="strong">{row.name}</td>
            <td title={row.from.join("\n")}>
              <span class="mono">{some(row.from)}</span>
            </td>
            <td title={row.to.join("\n")}>
              <span class="mono">{some(row.to)}</span>
            </td>
            <td class="num">{count(row.hosts)}</td>
          </tr>
        )}
      </For>
    </tbody>
  </table>
)

const Hosts = (props: { hosts: ReadonlyArray<PlannedHost>; waves: boolean }): JSX.Element => (
  <table class="tbl">
    <thead>
      <tr>
        <th scope="col">Host</th>
        <Show when={props.waves}>
          <th scope="col" class="num">
            Wave
          </th>
        </Show>
        <th scope="col">Changes</th>
        <th scope="col">Starts</th>
        <th scope="col">Restart</th>
        <th scope="col">Undo</th>
      </tr>
    </thead>
    <tbody>
      <For each={props.hosts.slice(0, SHOWN)}>
        {(host) => (
          <tr>
            <td class={styles["words"]}>
              <A href={`/hosts/${host.host_id}`}>{host.host_name}</A>
              <For each={host.warnings}>{(warning) => <div class="muted sm">{warning}</div>}</For>
              <For each={host.held}>
                {(held) => (
                  <div class="muted sm">
                    {held.name} is held: {held.reason}
                  </div>
                )}
              </For>
            </td>
            <Show when={props.waves}>
              <td class="num">{host.wave}</td>
            </Show>
            <td
              title={(host.changes ?? [])
                .map(({ from, name, to }) => `${name} ${from ?? "–"} → ${to ?? "newest"}`)
                .join("\n")}
            >
              {changeWords(host)}
            </td>
            <td class={styles["words"]}>{startWords(host)}</td>
            <td>{restartWords[host.reboot]}</td>
            <td title={host.undo.because}>
              <State of={undoStates[host.undo.answer]} />
            </td>
          </tr>
        )}
      </For>
    </tbody>
  </table>
)

export const PlanPanel = (props: { plan: Plan; stale: boolean }): JSX.Element => {
  const [view, setView] = createSignal<"package" | "host">("package")
  const numbers = createMemo(() => planNumbers(props.plan))
  const undo = () => numbers().undo
  return (
    <div class={styles["plan"]} classList={{ [styles["stale"] ?? ""]: props.stale }} aria-busy={props.stale}>
      <section class="card" aria-label="The plan in numbers">
        <dl class={styles["numbers"]}>
          <div>
            <dt>Hosts</dt>
            <dd>
              {count(numbers().touched)} <small>of {count(props.plan.hosts_total)}</small>
            </dd>
          </div>
          <div>
            <dt>Changes</dt>
            <dd>
              {count(numbers().changes)} <small>in {plural(numbers().packages.length, "package")}</small>
            </dd>
          </div>
          <div>
            <dt>Restart</dt>
            <dd>
              {count(numbers().restarts.yes)}{" "}
              <small>
                {numbers().restarts.if_needed > 0 ? `+ ${count(numbers().restarts.if_needed)} if needed` : ""}
                {numbers().restarts.unknown > 0 ? ` ${count(numbers().restarts.unknown)} can't tell` : ""}
              </small>
            </dd>
          </div>
          <div>
            <dt>Wait first</dt>
            <dd>
              {count(numbers().waiting.length)} <small>{numbers().waiting.length === 1 ? "host" : "hosts"}</small>
            </dd>
          </div>
          <div>
            <dt>Held</dt>
            <dd>
              {count(numbers().held)} <small>{numbers().held === 1 ? "package" : "packages"}</small>
            </dd>
          </div>
          <div>
            <dt>Undo</dt>
            <dd>
              {count(undo().yes)} <small>of {count(numbers().touched)} hosts</small>
            </dd>
          </div>
        </dl>
      </section>
      <section class="card" aria-labelledby="h-change">
        <header class="ruled">
          <h2 id="h-change">What will happen</h2>
          <span class="seggroup" role="group" aria-label="Show">
            <button type="button" aria-pressed={view() === "package"} onClick={() => setView("package")}>
              By package
            </button>
            <button type="button" aria-pressed={view() === "host"} onClick={() => setView("host")}>
              By host
            </button>
          </span>
        </header>
        <div class={styles["scroll"]} tabIndex={0} role="group" aria-label="The plan">
          <Show
            when={view() === "package"}
            fallback={<Hosts hosts={props.plan.hosts} waves={props.plan.waves.length > 1} />}
          >
            <Show
              when={numbers().packages.length > 0}
              fallback={
                <div class="empty">
                  <p class="muted">
                    {numbers().unread > 0
                      ? `${plural(numbers().unread, "host")} have not reported their packages yet; they are read right before the start.`
                      : "No package changes."}
                  </p>
                </div>
              }
            >
              <Packages rows={numbers().packages} />
            </Show>
          </Show>
        </div>
      </section>
      <Show when={numbers().skipped.length > 0}>
        <section class="card" aria-labelledby="h-skipped">
          <header class="ruled">
            <h2 id="h-skipped">Left alone</h2>
            <span class="muted sm">{plural(numbers().skipped.length, "host")}</span>
          </header>
          <div class={styles["scroll"]} tabIndex={0} role="group" aria-label="Hosts left alone">
            <table class="tbl">
              <tbody>
                <For each={numbers().skipped.slice(0, SHOWN)}>
                  {(host) => (
                    <tr>
                      <td>
                        <A href={`/hosts/${host.host_id}`}>{host.host_name}</A>
                      </td>
                      <td class="muted">{startWords(host)}</td>
                    </tr>
                  )}
                </For>
              </tbody>
            </table>
          </div>
        </section>
      </Show>
      <section class="card" aria-labelledby="h-undo">
        <header>
          <h2 id="h-undo">If it goes wrong: undo</h2>
        </header>
        <div class="pad">
          <StackedBar
            height={8}
            parts={[
              { value: undo().yes, fill: "ok", word: "yes" },
              { value: undo().partly, fill: "warn", word: "partly" },
              { value: undo().cannot_be_known, fill: "hatch", word: "cannot be known" },
              { value: undo().no, fill: "idle", word: "no" }
            ]}
          />
          <p class={`sm ${styles["note"]}`}>
            <Icon name="info" class="i14" />
            <span>
              {count(undo().yes)} yes, {count(undo().partly)} partly, {count(undo().no)} no,{" "}
              {count(undo().cannot_be_known)} cannot be known. Why stands at each host.
            </span>
          </p>
        </div>
      </section>
    </div>
  )
}
