/** A host's windows at one moment, in the words of the dispatcher. */
import type { WindowMoment } from "../Dispatch.ts"
import { type EffectiveWindows, windowStateAt } from "../window/effective.ts"

export const windowMoment = (effective: EffectiveWindows, at: number): WindowMoment => {
  const { open, next, blackout } = windowStateAt(effective, at)
  const [window_id] = blackout?.window_ids ?? []
  return {
    open,
    next,
    blackout: blackout === null || window_id === undefined ? null : { window_id, until: blackout.closes_at }
  }
}

/** For many hosts and few moments: hosts that share their windows share the answer. */
export const makeWindowMoments = () => {
  const known = new Map<EffectiveWindows, Map<number, WindowMoment>>()
  return (effective: EffectiveWindows, at: number): WindowMoment => {
    const moments = known.get(effective) ?? new Map<number, WindowMoment>()
    known.set(effective, moments)
    const found = moments.get(at) ?? windowMoment(effective, at)
    moments.set(at, found)
    return found
  }
}
