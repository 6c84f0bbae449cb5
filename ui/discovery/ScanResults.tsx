/** What a scan found, with what can be registered to choose from and what became of it. */
import { A } from "@solidjs/router"
import { createEffect, createMemo, createSignal, For, on, Show, type JSX } from "solid-js"
import { type DiscoveryResult, type DiscoveryScan, type RegisterOutcome, registrableVerdicts } from "#core/Discovery.ts"
import type { GroupId } from "#core/Ids.ts"
import { readResults, registerFound } from "../api/discovery.ts"
import { listGroups } from "../api/groups.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { may } from "../api/session.ts"
import { useData } from "../api/useData.ts"
import { count, plural } from "../format/numbers.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { Icon } from "../kit/Icon.tsx"
import { State } from "../kit/State.tsx"
import { say, sayFailed } from "../kit/toasts.ts"
import { verdicts } from "./scanWords.ts"
import styles from "./Discovery.module.css"

const canRegister = (result: DiscoveryResult): boolean =>
  result.registered === null && registrableVerdicts.includes(result.verdict)

const Registered = (props: { result: DiscoveryResult; outcome: RegisterOutcome | undefined }): JSX.Element => (
  <Show
    when={props.outcome}
    fallback={
      <Show when={props.result.registered} fallback={<span class="muted">No</span>}>
        {(host) => (
          <>
            <A href={`/hosts/${host().host_id}`}>{host().display_name}</A>
            <Show when={host().address !== props.result.address}>
              <span class="muted"> at {host().address}</span>
            </Show>
          </>
        )}
      </Show>
    }
  >
    {(outcome) => (
      <span class={`st ${outcome().outcome === "refused" ? "bad" : "quietok"}`}>
        <Icon name={outcome().outcome === "refused" ? "failed" : "check"} />
        <span>
          {outcome().message}{" "}
          <Show when={outcome().host_id}>{(id) => <A href={`/hosts/${id()}/certificate`}>Open host</A>}</Show>
        </span>
      </span>
    )}
  </Show>
)

export const ScanResults = (props: {
  scan: DiscoveryScan
  all: boolean
  onAll: (all: boolean) => void
}): JSX.Element => {
  const results = useData(() => ({
    queryKey: [...keys.discovery, "results", props.scan.id, props.all, props.scan.addresses_probed, props.scan.state],
    queryFn: ({ signal }) => readResults(props.scan.id, props.all ? undefined : registrableVerdicts, signal),
    keepPrevious: true
  }))
  const [chosen, setChosen] = createSignal<ReadonlySet<string>>(new Set())
  const [outcomes, setOutcomes] = createSignal<ReadonlyMap<string, RegisterOutcome>>(new Map())
  const [busy, setBusy] = createSignal(false)
  const [group, setGroup] = createSignal("")
  const groups = useData(() => ({
    queryKey: [...keys.groups, "choices"],
    queryFn: ({ signal }) => listGroups({ limit: 500 }, signal),
    enabled: may("discovery:run")
  }))
  createEffect(
    on(
      () => props.scan.id,
      () => {
        setChosen(new Set<string>())
        setOutcomes(new Map())
      },
      { defer: true }
    )
  )
  const items = createMemo(() => results.data?.items ?? [])
  const possible = createMemo(() => items().filter(canRegister))
  const selected = createMemo(() => possible().filter(({ address }) => chosen().has(address)))
  const toggle = (address: string): void => {
    const next = new Set(chosen())
    if (!next.delete(address)) next.add(address)
    setChosen(next)
  }
  const toggleAll = (): void =>
    void setChosen(
      selected().length === possible().length ? new Set<string>() : new Set(possible().map((one) => one.address))
    )
  const register = async (): Promise<void> => {
    setBusy(true)
    try {
      const answer = await registerFound(
        props.scan.id,
        {
          addresses: selected().map(({ address }) => address),
          ...(group() === "" ? {} : { group_ids: [group() as GroupId] })
        },
        crypto.randomUUID()
      )
      setOutcomes(new Map([...outcomes(), ...answer.items.map((item) => [item.address, item] as const)]))
      setChosen(new Set<string>())
      say(`${plural(answer.registered, "host")} registered`)
      void queryClient.invalidateQueries({ queryKey: keys.discovery })
      void queryClient.invalidateQueries({ queryKey: keys.hosts })
      void queryClient.invalidateQueries({ queryKey: keys.fleet })
    } catch (cause) {
      sayFailed("Nothing was registered", cause)
    } finally {
      setBusy(false)
    }
  }
  return (
    <section class="card" aria-label="Results">
      <header class={`ruled ${styles["bar"]}`}>
        <h2>Results</h2>
        <Show when={may("discovery:run")}>
          <span class="seggroup" role="group" aria-label="Show">
            <button type="button" aria-pressed={!props.all} onClick={() => props.onAll(false)}>
              Agents
            </button>
            <button type="button" aria-pressed={props.all} onClick={() => props.onAll(true)}>
              Every address
            </button>
          </span>
          <Show when={(groups.data?.items.length ?? 0) > 0}>
            <span class={`sel ${styles["group"]}`}>
              <select
                class="inp"
                aria-label="Group of the hosts to register"
                value={group()}
                onChange={(event) => setGroup(event.currentTarget.value)}
              >
                <option value="">No group: every operator sees them</option>
                <For each={groups.data?.items}>{(one) => <option value={one.id}>{one.name}</option>}</For>
              </select>
              <Icon name="down" />
            </span>
          </Show>
          <button
            class="btn primary"
            type="button"
            disabled={busy() || selected().length === 0}
            onClick={() => void register()}
          >
            <Icon name="plus" />
            {selected().length === 0 ? "Register" : `Register ${plural(selected().length, "host")}`}
          </button>
        </Show>
      </header>
      <DataArea
        query={results}
        what="Results"
        rows={5}
        isEmpty={({ total }) => total === 0}
        empty={
          <div class={`empty ${styles["empty"]}`}>
            <b>{props.all ? "No address was looked at yet" : "No agent was found"}</b>
            <p class="muted">
              {props.scan.state === "done"
                ? "Is the agent running there, on this port, and does a firewall let the manager through?"
                : "What is found appears here while the scan runs."}
            </p>
          </div>
        }
      >
        {() => (
          <div class="scrollx" tabIndex={0} role="group" aria-label="Results">
            <table class={`tbl ${styles["table"]}`}>
              <thead>
                <tr>
                  <th scope="col" class={styles["pick"]}>
                    <Show when={may("discovery:run")}>
                      <input
                        class="ck"
                        type="checkbox"
                        aria-label={`Choose all ${count(possible().length)} that can be registered`}
                        disabled={possible().length === 0}
                        checked={possible().length > 0 && selected().length === possible().length}
                        onChange={toggleAll}
                      />
                    </Show>
                  </th>
                  <th scope="col" class={styles["address"]}>
                    Address
                  </th>
                  <th scope="col" class={styles["verdict"]}>
                    Found
                  </th>
                  <th scope="col">Name in its certificate</th>
                  <th scope="col">Registered</th>
                </tr>
              </thead>
              <tbody>
                <For each={items()}>
                  {(result) => (
                    <tr>
                      <td>
                        <Show when={may("discovery:run") && canRegister(result)}>
                          <input
                            class="ck"
                            type="checkbox"
                            aria-label={`Choose ${result.address}`}
                            checked={chosen().has(result.address)}
                            onChange={() => toggle(result.address)}
                          />
                        </Show>
                      </td>
                      <td class="mono">{result.address}</td>
                      <td>
                        <State of={verdicts[result.verdict]} />
                      </td>
                      <td>{result.fqdn ?? <span class="muted">–</span>}</td>
                      <td>
                        <Registered result={result} outcome={outcomes().get(result.address)} />
                      </td>
                    </tr>
                  )}
                </For>
              </tbody>
            </table>
          </div>
        )}
      </DataArea>
    </section>
  )
}
