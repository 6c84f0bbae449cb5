/** What the fleet socket said about each host since the page was loaded; laid over the rows that were fetched. */
import { batch } from "solid-js"
import { createStore, reconcile } from "solid-js/store"
import type { HostItem } from "#core/Host.ts"
import type { LiveHost } from "#core/Live.ts"

interface Heard {
  readonly host: LiveHost
  /** `performance.now()` of its arrival. */
  readonly at: number
}

const [heard, setHeard] = createStore<Record<string, Heard>>({})
const [removed, setRemoved] = createStore<Record<string, true>>({})

export const hearHosts = (hosts: ReadonlyArray<LiveHost>): void => {
  const at = performance.now()
  batch(() => {
    for (const host of hosts) setHeard(host.id, reconcile({ host, at }))
  })
}

export const hearRemoved = (id: string): void => setRemoved(id, true)

export const forgetHosts = (): void => {
  setHeard(reconcile({}))
  setRemoved(reconcile({}))
}

export const isRemoved = (id: string): boolean => removed[id] === true

/** The host as it is now: the fetched row, with what was heard after it was asked for. */
export const overlay = <A extends HostItem>(item: A, asked_at: number): A => {
  const newer = heard[item.id]
  if (newer === undefined || newer.at < asked_at || newer.host.state_version < item.state_version) return item
  return { ...item, ...newer.host }
}

/** Whether sorting or filtering might place this host elsewhere by now. */
export const hasMoved = (item: HostItem, asked_at: number): boolean => {
  if (isRemoved(item.id)) return true
  const now = overlay(item, asked_at)
  return (
    now.summary !== item.summary ||
    now.pending !== item.pending ||
    now.security !== item.security ||
    now.reboot_needed !== item.reboot_needed
  )
}

/** Hosts heard of after this moment. */
export const heardSince = (asked_at: number): ReadonlyArray<string> =>
  Object.entries(heard)
    .filter(([, { at }]) => at > asked_at)
    .map(([id]) => id)
