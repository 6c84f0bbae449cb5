/** One host: who it is, four facts kept apart, what can be done with it, and its tabs. */
import { A, useLocation, useParams, type RouteSectionProps } from "@solidjs/router"
import { createEffect, createMemo, createSignal, For, lazy, onCleanup, Show, Suspense, type JSX } from "solid-js"
import type { HostDetail } from "#core/Host.ts"
import { ApiError } from "../api/ApiError.ts"
import { readHost } from "../api/hosts.ts"
import { keys } from "../api/keys.ts"
import { may } from "../api/session.ts"
import { useData } from "../api/useData.ts"
import { count } from "../format/numbers.ts"
import { systemName } from "../format/systemName.ts"
import { linkStates, rebootStateOf, workStates } from "../format/states.ts"
import { DataArea } from "../kit/DataArea.tsx"
import { Icon } from "../kit/Icon.tsx"
import { Menu, MenuItem, MenuSeparator } from "../kit/Menu.tsx"
import { State } from "../kit/State.tsx"
import { Time } from "../kit/Time.tsx"
import { usePage } from "../kit/usePage.ts"
import { fleetSocket } from "../live/live.ts"
import { useCrumb } from "../shell/crumbs.ts"
import { Decision } from "./Decision.tsx"
import { HostContext } from "./HostContext.ts"
import { refreshHosts } from "./refreshHosts.ts"
import { splitName } from "./splitName.ts"
import styles from "./HostPage.module.css"

const ApplyDialog = lazy(() => import("../jobs/ApplyDialog.tsx"))
const RemoveDialog = lazy(() => import("./RemoveDialog.tsx"))
const EditHostDialog = lazy(() => import("./EditHostDialog.tsx"))

const tabs: ReadonlyArray<{
  readonly path: string
  readonly name: string
  readonly n?: (host: HostDetail) => number | null
}> = [
  { path: "overview", name: "Overview" },
  { path: "", name: "Live state" },
  { path: "packages", name: "Packages" },
  { path: "patches", name: "Patches", n: (host) => host.pending },
  { path: "jobs", name: "Jobs" },
  { path: "windows", name: "Windows" },
  { path: "policy", name: "Policy" },
  { path: "certificate", name: "Certificate" }
]

const Facts = (props: { host: HostDetail }): JSX.Element => (
  <div class="facts">
    <span class="fact">
      <span>Connection</span>
      <State of={linkStates[props.host.link]} />
    </span>
    <span class="fact">
      <span>Work</span>
      <State of={workStates[props.host.work]} />
    </span>
    <span class="fact">
      <span>Reboot needed</span>
      <State of={rebootStateOf(props.host.reboot_needed)} />
    </span>
    <span class="fact">
      <span>Pending</span>
      <Show when={props.host.pending !== null} fallback={<span class="st idle">Unknown</span>}>
        <Show
          when={(props.host.security ?? 0) > 0}
          fallback={
            <span class={(props.host.pending ?? 0) > 0 ? "st plain" : "st quietok"}>
              <Icon name={(props.host.pending ?? 0) > 0 ? "warning" : "check"} />
              {(props.host.pending ?? 0) > 0 ? count(props.host.pending ?? 0) : "Nothing"}
            </span>
          }
        >
          <span>
            <span class="st bad">
              <Icon name="warning" />
              {count(props.host.security ?? 0)} security
            </span>
            <span class="muted">&nbsp;of {count(props.host.pending ?? 0)}</span>
          </span>
        </Show>
      </Show>
    </span>
  </div>
)

export default function HostPage(props: RouteSectionProps): JSX.Element {
  const parameters = useParams<{ id: string }>()
  const location = useLocation()
  const host = useData(() => ({
    queryKey: keys.host(parameters.id),
    queryFn: ({ signal }) => readHost(parameters.id, signal),
    refetchInterval: 60_000
  }))
  const page = usePage(() => host.data?.display_name ?? "Host")
  useCrumb(() => host.data?.display_name.split(".")[0] ?? "Host")
  createEffect(() => fleetSocket.follow({ host_id: parameters.id as HostDetail["id"] }))
  onCleanup(() => fleetSocket.follow({}))

  const [applying, setApplying] = createSignal<ReadonlyArray<string> | true | null>(null)
  const [removing, setRemoving] = createSignal(false)
  const [editing, setEditing] = createSignal(false)
  const path = (tab: string): string => `/hosts/${parameters.id}${tab === "" ? "" : `/${tab}`}`
  const name = createMemo(() => splitName(host.data?.display_name ?? ""))
  const gone = (): boolean => host.error instanceof ApiError && host.error.status === 404
  const canApply = (): boolean => host.data?.link !== "retired" && host.data?.removal_requested_at === null

  return (
    <main class="main" id="main">
      <Show when={!gone()} fallback={<NoHost heading={page.ref} />}>
        <div class={`head ${styles["head"]}`}>
          <div>
            <h1 ref={page.ref}>
              {name()[0]}
              <span>{name()[1]}</span>
            </h1>
            <Show when={host.data}>
              {(now) => (
                <>
                  <p class="idline">
                    <span class="mono">{now().address}</span>
                    <span title={`${now().os ?? ""} ${now().os_version ?? ""}`}>
                      {now().os === null ? "System unknown" : systemName(now().os, now().os_version)}
                    </span>
                    <span>{now().agent_version === null ? "Agent unknown" : `Agent ${now().agent_version}`}</span>
                    <span>
                      <Show when={now().last_seen_at} fallback="Never seen">
                        {(at) => (
                          <>
                            Seen <Time at={at()} as="ago" />
                          </>
                        )}
                      </Show>
                    </span>
                  </p>
                  <Facts host={now()} />
                </>
              )}
            </Show>
          </div>
          <div class="actions">
            <Show when={may("hosts:refresh")}>
              <button
                class="btn"
                type="button"
                onClick={() => void refreshHosts([{ id: parameters.id as HostDetail["id"] }])}
              >
                <Icon name="sync" />
                Refresh now
              </button>
            </Show>
            <Show when={may("jobs:create")}>
              <button
                class="btn primary"
                type="button"
                disabled={host.data === undefined || !canApply()}
                onClick={() => setApplying(true)}
              >
                <Icon name="deploy" />
                Apply now…
              </button>
            </Show>
            <Show when={may("hosts:change") || may("hosts:remove")}>
              <Menu label="More actions" class="btn sq" face={<Icon name="more" />}>
                <Show when={may("hosts:change")}>
                  <MenuItem icon="host" onSelect={() => setEditing(true)}>
                    Edit name and address…
                  </MenuItem>
                </Show>
                <Show when={may("hosts:remove")}>
                  <MenuSeparator />
                  <MenuItem icon="failed" danger onSelect={() => setRemoving(true)}>
                    Remove host…
                  </MenuItem>
                </Show>
              </Menu>
            </Show>
          </div>
        </div>
        <Show when={host.data}>
          {(now) => (
            <>
              <Show when={now().parked_reason}>
                {(reason) => (
                  <div class="banner">
                    <Icon name="warning" />
                    <p>Set aside by the worker: {reason()} Nothing is polled or sent to this host.</p>
                  </div>
                )}
              </Show>
              <Show when={now().removal_requested_at}>
                {(at) => (
                  <div class="banner">
                    <Icon name="warning" />
                    <p>
                      Removal was asked for <Time at={at()} as="ago" />. The host leaves when its work has ended.
                    </p>
                  </div>
                )}
              </Show>
              <Decision host={now()} />
            </>
          )}
        </Show>
        <nav class="tabs" aria-label="Host">
          <For each={tabs}>
            {(tab) => (
              <A
                href={path(tab.path)}
                end
                aria-current={location.pathname.replace(/\/$/, "") === path(tab.path) ? "page" : undefined}
              >
                {tab.name}
                <Show when={host.data === undefined ? null : tab.n?.(host.data)}>
                  {(n) => <span class="n">{count(n())}</span>}
                </Show>
              </A>
            )}
          </For>
        </nav>
        <DataArea query={host} what="The host" rows={8}>
          {(now) => (
            <HostContext.Provider value={{ host: now, apply: (names) => setApplying(names ?? true) }}>
              <Suspense>{props.children}</Suspense>
            </HostContext.Provider>
          )}
        </DataArea>
        <Suspense>
          <Show when={host.data}>
            {(now) => (
              <>
                <Show when={applying()}>
                  {(names) => {
                    const chosen = names()
                    return (
                      <ApplyDialog
                        hosts={[now()]}
                        names={chosen === true ? undefined : chosen}
                        onClose={() => setApplying(null)}
                      />
                    )
                  }}
                </Show>
                <Show when={removing()}>
                  <RemoveDialog host={now()} onClose={() => setRemoving(false)} />
                </Show>
                <Show when={editing()}>
                  <EditHostDialog host={now()} onClose={() => setEditing(false)} />
                </Show>
              </>
            )}
          </Show>
        </Suspense>
      </Show>
    </main>
  )
}

const NoHost = (props: { heading: (element: HTMLHeadingElement) => void }): JSX.Element => (
  <>
    <div class="head">
      <div>
        <h1 ref={(element) => props.heading(element)}>This host is not here</h1>
        <p class="sub">It was removed, or it belongs to a group you do not see.</p>
      </div>
    </div>
    <div class="actions">
      <A class="btn" href="/hosts">
        Go to the hosts
      </A>
    </div>
  </>
)
