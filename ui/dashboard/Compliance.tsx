/** The one biggest number, what it means, and what the rest is made of. Unknown is hatched, never green. */
import { A } from "@solidjs/router"
import { For, type JSX } from "solid-js"
import type { FleetStatus } from "#core/Fleet.ts"
import { count, percent } from "../format/numbers.ts"
import { rebootStates, type Shown } from "../format/states.ts"
import { State } from "../kit/State.tsx"
import { StackedBar } from "../kit/StackedBar.tsx"
import styles from "./Compliance.module.css"

const shown = {
  compliant: { tone: "quiet", icon: "check", word: "Compliant" },
  not_compliant: { tone: "bad", icon: "warning", word: "Not compliant" },
  unknown: { tone: "idle", icon: "unknown", word: "Unknown" },
  pending: { tone: "warn", icon: "warning", word: "Updates pending" },
  security: { tone: "bad", icon: "warning", word: "Security pending" }
} as const satisfies Record<string, Shown>

interface Entry {
  readonly of: Shown
  readonly word?: string
  readonly hosts: number
  readonly note: string
  readonly href: string
}

const Legend = (props: { entries: ReadonlyArray<Entry> }): JSX.Element => (
  <div class={styles["legend"]}>
    <For each={props.entries}>
      {(entry) => (
        <A href={entry.href}>
          <State of={entry.of} word={entry.word} />
          <b>{count(entry.hosts)}</b>
          <span class="muted sm">{entry.note}</span>
        </A>
      )}
    </For>
  </div>
)

export const Compliance = (props: { fleet: FleetStatus }): JSX.Element => {
  const of = () => props.fleet.compliance
  const share = (hosts: number): string => percent(hosts, props.fleet.hosts_total)
  return (
    <section class="card" aria-labelledby="h-compliance">
      <div class={styles["comp"]}>
        <div>
          <h2 id="h-compliance">Compliance</h2>
          <p class={styles["big"]}>{share(of().compliant)}</p>
          <p class="muted sm">
            Reported within 24 h, no security update older than its target, and no restart owed. A host that did not
            report, or cannot tell about a restart, is unknown.
          </p>
        </div>
        <div>
          <h2>
            {count(of().compliant)} of {count(props.fleet.hosts_total)} hosts compliant
          </h2>
          <div class={styles["bar"]}>
            <StackedBar
              height={20}
              parts={[
                { value: of().compliant, fill: "ok", word: "compliant" },
                { value: of().not_compliant, fill: "bad", word: "not compliant" },
                { value: of().unknown, fill: "hatch", word: "unknown" }
              ]}
            />
          </div>
          <Legend
            entries={[
              { of: shown.compliant, hosts: of().compliant, note: share(of().compliant), href: "/hosts" },
              {
                of: shown.not_compliant,
                hosts: of().not_compliant,
                note: share(of().not_compliant),
                href: "/hosts?sort=-security"
              },
              { of: shown.unknown, hosts: of().unknown, note: share(of().unknown), href: "/hosts?sort=last_seen" }
            ]}
          />
        </div>
        <div>
          <h2>Open on the hosts</h2>
          <div class={styles["open"]}>
            <Legend
              entries={[
                {
                  of: shown.security,
                  hosts: props.fleet.hosts_with_security,
                  note: `${count(props.fleet.security_patches)} updates`,
                  href: "/hosts?pending=security&sort=-security"
                },
                {
                  of: shown.pending,
                  hosts: props.fleet.hosts_with_pending,
                  note: `${count(props.fleet.pending_patches)} updates`,
                  href: "/hosts?pending=any&sort=-pending"
                },
                {
                  of: rebootStates.yes,
                  word: "Restart owed",
                  hosts: props.fleet.hosts_needing_reboot,
                  note: share(props.fleet.hosts_needing_reboot),
                  href: "/hosts?reboot=yes"
                }
              ]}
            />
          </div>
        </div>
      </div>
    </section>
  )
}
