/** Whether this worker may still act; asked right before anything that changes a host is sent. */
import { Context, Effect } from "effect"
import type { OrderId } from "#core/Ids.ts"

export interface Lease {
  readonly epoch: number
  /** False where the lease was not renewed lately: another worker may have taken over. */
  readonly isHeld: () => boolean
  /** Awaited before an order's call begins: after the worker before died, they begin one by one. */
  readonly begin: (order: OrderId) => Effect.Effect<void>
}

export const LeaseHeld = Context.Reference<Lease>("patch-manager/actors/LeaseHeld", {
  defaultValue: () => ({ epoch: 0, isHeld: () => true, begin: () => Effect.void })
})
