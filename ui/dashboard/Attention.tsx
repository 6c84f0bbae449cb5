/** What a person should look at, worst first as the server ranks it. */
import { A } from "@solidjs/router"
import { For, Show, type JSX } from "solid-js"
import type { FleetStatus } from "#core/Fleet.ts"
import { count } from "../format/numbers.ts"
import { patchStates, rebootStates, summaries, type Shown } from "../format/states.ts"
import { Icon } from "../kit/Icon.tsx"
import { State } from "../kit/State.tsx"
import styles from "./Attention.module.css"

type Kind = FleetStatus["attention"][number]["kind"]

const kinds: Readonly<Record<Kind, { readonly of: Shown; readonly what: string; readonly href: string }>> = {
  unresolved: {
    of: summaries.unresolved,
    what: "Outcome unknown after a day of asking the host",
    href: "/hosts?status=unresolved"
  },
  failed: { of: summaries.failed, what: "The last order failed and is not tried again", href: "/hosts?status=failed" },
  parked: {
    of: { tone: "bad", icon: "minus", word: "Set aside" },
    what: "The worker cannot read the host's state; its page says why",
    href: "/hosts?sort=last_seen"
  },
  unreachable: {
    of: summaries.unreachable,
    what: "No answer to three polls in a row",
    href: "/hosts?status=unreachable"
  },
  security: {
    of: patchStates.security,
    what: "Security updates wait to be installed",
    href: "/hosts?pending=security&sort=-security"
  },
  degraded: { of: summaries.degraded, what: "The agent answers, but reports a fault", href: "/hosts?status=degraded" },
  reboot_needed: {
    of: { ...rebootStates.yes, tone: "idle", word: "Restart owed" },
    what: "Patched, but the old kernel or library still runs",
    href: "/hosts?reboot=yes"
  }
}

export const Attention = (props: { fleet: FleetStatus }): JSX.Element => (
  <section class="card" aria-labelledby="h-attention">
    <header>
      <h2 id="h-attention">Needs attention</h2>
      <span class="muted sm">worst first</span>
    </header>
    <Show
      when={props.fleet.attention.length > 0}
      fallback={
        <div class="empty">
          <p class="muted">Nothing. Every host answers, nothing failed, and no security update or restart is owed.</p>
        </div>
      }
    >
      <ul class={`rows ${styles["list"]}`}>
        <For each={props.fleet.attention}>
          {(entry) => (
            <li>
              <State of={kinds[entry.kind].of} />
              <A
                class={styles["n"]}
                href={kinds[entry.kind].href}
                aria-label={`${count(entry.hosts)} hosts: ${kinds[entry.kind].of.word}`}
              >
                {count(entry.hosts)}
              </A>
              <span class={`muted ${styles["what"]}`}>{kinds[entry.kind].what}</span>
              <Icon name="right" />
            </li>
          )}
        </For>
      </ul>
    </Show>
  </section>
)
