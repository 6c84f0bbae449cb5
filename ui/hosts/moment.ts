/** A host at one moment: now, or after one of its transitions. Pure. */
import type { HostTransition } from "#core/Host.ts"
import type { LinkState, WorkState } from "#core/HostState.ts"

export interface Step {
  readonly region: "link" | "work"
  readonly from: string
  readonly to: string
  readonly event: string
}

export interface Moment {
  readonly link: LinkState
  readonly work: WorkState
  /** The transition that led here. */
  readonly last: Step | null
}

/** The region a transition moved; `work` where it moved both, as work is what people look for. */
export const stepOf = (transition: HostTransition): Step | null => {
  const event = transition.event_type
  if (transition.from_work !== transition.to_work) {
    return { region: "work", from: transition.from_work, to: transition.to_work, event }
  }
  if (transition.from_link !== transition.to_link) {
    return { region: "link", from: transition.from_link, to: transition.to_link, event }
  }
  return null
}

/** After the transition of this version; `transitions` newest first. */
export const momentAt = (transitions: ReadonlyArray<HostTransition>, version: number): Moment | null => {
  const transition = transitions.find((one) => one.version === version)
  return transition === undefined
    ? null
    : { link: transition.to_link, work: transition.to_work, last: stepOf(transition) }
}

export interface Spent {
  readonly state: WorkState
  readonly milliseconds: number
  readonly current: boolean
}

/** Time in each work state since the newest order began; null when none is among the transitions. */
export const timeInState = (
  transitions: ReadonlyArray<HostTransition>,
  now: number
): { readonly spent: ReadonlyArray<Spent>; readonly total: number } | null => {
  const newest = transitions.find(({ order_id }) => order_id !== null)?.order_id
  if (newest === undefined) return null
  const steps = transitions
    .filter((one) => one.order_id === newest && one.from_work !== one.to_work)
    .toSorted((a, b) => a.version - b.version)
  const spent = new Map<WorkState, number>()
  let current: WorkState | null = null
  let since = 0
  for (const step of steps) {
    const at = Date.parse(step.at)
    if (current !== null) spent.set(current, (spent.get(current) ?? 0) + Math.max(0, at - since))
    current = step.to_work
    since = at
  }
  const ended = current === null || current === "idle" || current === "failed" || current === "retired"
  if (current !== null && !ended) spent.set(current, (spent.get(current) ?? 0) + Math.max(0, now - since))
  const all = [...spent].map(([state, milliseconds]) => ({ state, milliseconds, current: !ended && state === current }))
  return all.length === 0 ? null : { spent: all, total: all.reduce((sum, { milliseconds }) => sum + milliseconds, 0) }
}
