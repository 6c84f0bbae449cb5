/** Looks for agents in a network: start a scan, watch it, register what it found. The scan that is shown stands in the address. */
import { A, useSearchParams } from "@solidjs/router"
import { createMemo, createSignal, For, Show, type JSX } from "solid-js"
import type { DiscoveryScan } from "#core/Discovery.ts"
import { cancelScan, listScans, readScan } from "../api/discovery.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { may } from "../api/session.ts"
import { useData } from "../api/useData.ts"
import { count, plural } from "../format/numbers.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { Icon } from "../kit/Icon.tsx"
import { StackedBar } from "../kit/StackedBar.tsx"
import { State } from "../kit/State.tsx"
import { Time } from "../kit/Time.tsx"
import { sayFailed } from "../kit/toasts.ts"
import { usePage } from "../kit/usePage.ts"
import { ScanForm } from "./ScanForm.tsx"
import { ScanResults } from "./ScanResults.tsx"
import { isOpen, scanStates } from "./scanWords.ts"
import styles from "./Discovery.module.css"

const WATCH_MS = 500

const countWords = (scan: DiscoveryScan): string => {
  if (scan.counts === null) return plural(scan.found, "agent")
  const { agent, agent_other_certificate, other_service, closed, no_answer } = scan.counts
  return [
    `${plural(agent, "agent")} with our certificate`,
    `${count(agent_other_certificate)} with another`,
    `${plural(other_service, "other service")}`,
    `${count(closed)} closed`,
    `${count(no_answer)} without an answer`
  ].join(", ")
}

const ScanCard = (props: { scan: DiscoveryScan }): JSX.Element => {
  const [busy, setBusy] = createSignal(false)
  const cancel = async (): Promise<void> => {
    setBusy(true)
    try {
      await cancelScan(props.scan.id)
      void queryClient.invalidateQueries({ queryKey: keys.discovery })
    } catch (cause) {
      sayFailed("The scan was not cancelled", cause)
    } finally {
      setBusy(false)
    }
  }
  return (
    <section class="card" aria-label="Scan">
      <header class={styles["bar"]}>
        <h2>
          <span class="mono">{props.scan.cidr}</span> <span class="muted">port {props.scan.port}</span>
        </h2>
        <State of={scanStates[props.scan.state]} />
        <Show when={isOpen(props.scan) && may("discovery:run")}>
          <button
            class="btn"
            type="button"
            disabled={busy() || props.scan.cancel_requested_at !== null}
            onClick={() => void cancel()}
          >
            Cancel scan
          </button>
        </Show>
      </header>
      <div class="pad">
        <StackedBar
          height={6}
          parts={[
            { value: props.scan.addresses_probed, word: "looked at", fill: isOpen(props.scan) ? "run" : "ok" },
            { value: props.scan.addresses_total - props.scan.addresses_probed, word: "left", fill: "rest" }
          ]}
        />
        <p class={styles["progress"]} role="status">
          {count(props.scan.addresses_probed)} of {plural(props.scan.addresses_total, "address", "addresses")} looked
          at: {countWords(props.scan)}.
        </p>
        <Show when={props.scan.message}>
          {(message) => (
            <p class="st warn">
              <Icon name="warning" />
              {message()}
            </p>
          )}
        </Show>
        <p class="muted">
          Asked for by {props.scan.requested_by}, <Time at={props.scan.created_at} />.
        </p>
      </div>
    </section>
  )
}

export default function DiscoveryPage(): JSX.Element {
  const page = usePage(() => "Discover hosts")
  const [parameters, setParameters] = useSearchParams<{ scan?: string; show?: string }>()
  const scans = useData(() => ({
    queryKey: [...keys.discovery, "scans"],
    queryFn: ({ signal }) => listScans(signal),
    refetchInterval: (data) => (data?.items.some(isOpen) ? WATCH_MS * 4 : false)
  }))
  const shown = createMemo(() => parameters.scan ?? scans.data?.items[0]?.id)
  const scan = useData(() => ({
    queryKey: [...keys.discovery, "scan", shown() ?? ""],
    queryFn: ({ signal }) => readScan(shown() ?? "", signal),
    enabled: shown() !== undefined,
    refetchInterval: (data) => (isOpen(data) ? WATCH_MS : false)
  }))
  const started = (made: DiscoveryScan): void => {
    setParameters({ scan: made.id })
    void queryClient.invalidateQueries({ queryKey: keys.discovery })
  }
  const busy = createMemo(
    () => scans.data?.items.some(isOpen) === true && (scan.data === undefined || isOpen(scan.data))
  )
  return (
    <main class="main" id="main">
      <div class="head">
        <div>
          <h1 ref={page.ref}>Discover hosts</h1>
          <p class="sub">Look for agents in a network, and register those you know.</p>
        </div>
      </div>
      <Show
        when={may("discovery:run")}
        fallback={
          <p class="muted">Only administrators scan networks. Agents of ours that they found are shown here.</p>
        }
      >
        <ScanForm busy={busy()} onStarted={started} />
      </Show>
      <DataArea
        query={scans}
        what="Scans"
        rows={4}
        isEmpty={({ total }) => total === 0}
        empty={
          <div class={`card empty ${styles["empty"]}`}>
            <b>No scan yet</b>
            <p class="muted">
              A scan opens one connection to each address and looks at the certificate shown there. Networks that may be
              scanned are named in the <A href="/settings">settings</A>, under Discovery networks.
            </p>
          </div>
        }
      >
        {(list) => (
          <div class={styles["stack"]}>
            <DataArea query={scan} what="The scan">
              {(one) => (
                <>
                  <ScanCard scan={one()} />
                  <ScanResults
                    scan={one()}
                    all={parameters.show === "all"}
                    onAll={(all) => setParameters({ show: all ? "all" : undefined }, { replace: true })}
                  />
                </>
              )}
            </DataArea>
            <Show when={list().total > 1}>
              <section class="card" aria-label="Earlier scans">
                <header class="ruled">
                  <h2>Scans</h2>
                </header>
                <ul class="rows">
                  <For each={list().items}>
                    {(item) => (
                      <li class={styles["row"]}>
                        <A
                          class="mono"
                          href={`/discovery?scan=${item.id}`}
                          aria-current={item.id === shown() ? "true" : undefined}
                        >
                          {item.cidr}
                        </A>
                        <State of={scanStates[item.state]} />
                        <span class="muted">{plural(item.found, "agent")}</span>
                        <Time at={item.created_at} class="muted" />
                      </li>
                    )}
                  </For>
                </ul>
              </section>
            </Show>
          </div>
        )}
      </DataArea>
    </main>
  )
}
