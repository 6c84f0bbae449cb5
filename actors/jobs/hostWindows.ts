/**
 * Where the windows of hosts stand at one moment, as the dispatcher weighs them. The rows are read anew each time, so that an
 * edit counts at once; what the calendar makes of them is worked out once for hosts that share their windows.
 */
import { Effect } from "effect"
import type { WindowMoment } from "#core/Dispatch.ts"
import type { HostId } from "#core/Ids.ts"
import { windowMoment } from "#core/plan/windowMoment.ts"
import { readEffectiveWindows } from "#sql/WindowStore.ts"

export const noMoment: WindowMoment = { open: null, next: null, blackout: null }

export const readWindowMoments = Effect.fnUntraced(function* (hostIds: ReadonlyArray<HostId>, at: number) {
  if (hostIds.length === 0) return new Map<HostId, WindowMoment>()
  const effective = yield* readEffectiveWindows(hostIds)
  return new Map([...effective].map(([id, windows]) => [id, windowMoment(windows, at)]))
})
