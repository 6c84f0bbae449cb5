/** Whether this worker may still act; asked right before anything that changes a host is sent. */
import { Context } from "effect"

export interface Lease {
  readonly epoch: number
  /** False where the lease was not renewed lately: another worker may have taken over. */
  readonly isHeld: () => boolean
}

export const LeaseHeld = Context.Reference<Lease>("patch-manager/actors/LeaseHeld", {
  defaultValue: () => ({ epoch: 0, isHeld: () => true })
})
