/** Hosts that boot again and again by themselves, as their uptime tells. */
import type { HostEvent } from "#core/HostEvent.ts"
import type { HostContext } from "./HostContext.ts"
import { bootedSince } from "./hostFacts.ts"

const WATCHED_MS = 15 * 60_000
const TOO_MANY = 3

type Answered = Extract<HostEvent, { readonly type: "poll.ok" }>

/** The boots of the last quarter of an hour after this poll. One that the manager asked for counts not. */
export const bootsSeen = (
  context: HostContext,
  { at, uptime_seconds }: Answered
): Pick<HostContext, "up" | "boots" | "unstable"> => {
  const booted = bootedSince(context.up, { at, uptime_seconds })
  const counts = booted && context.reboot_from === null
  const boots = [...context.boots, ...(counts ? [at] : [])].filter((boot) => at - boot < WATCHED_MS)
  return {
    up: booted || context.up === null ? { at, uptime_seconds } : context.up,
    boots,
    unstable: boots.length >= TOO_MANY
  }
}

/** Whether this poll tells something about boots that is not known yet. */
export const bootsTellNews = (context: HostContext, event: Answered): boolean => {
  const seen = bootsSeen(context, event)
  return seen.up !== context.up || seen.unstable !== context.unstable
}

export const turnsUnstable = (context: HostContext, event: Answered): boolean =>
  !context.unstable && bootsSeen(context, event).unstable
