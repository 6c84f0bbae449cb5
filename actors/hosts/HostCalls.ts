/** At most one call of the machine under way for each host, known by its number; when the number moves on, it is broken off. */
import { Cause, type Context, Effect, type Fiber, FiberMap } from "effect"
import type { SqlClient } from "effect/sql"
import type { HostCall } from "#core/HostCommand.ts"
import type { HostId } from "#core/Ids.ts"
import type { AgentClient } from "../agent/AgentClient.ts"
import type { DatabaseClock } from "./DatabaseClock.ts"
import type { HostHandle } from "./HostHandle.ts"
import { interpret, type Tell } from "./HostInterpreter.ts"

export interface HostCalls {
  /** The fiber of the call that was started, if there was one. */
  readonly carryOut: (host: HostHandle, calls: ReadonlyArray<HostCall>) => Effect.Effect<Fiber.Fiber<void> | undefined>
  readonly breakOff: (host: HostHandle) => Effect.Effect<void>
}

export const makeHostCalls = Effect.fnUntraced(function* (
  services: Context.Context<AgentClient | DatabaseClock | SqlClient.SqlClient>,
  tell: (host: HostHandle) => Tell
) {
  const fibers = yield* FiberMap.make<HostId, void, never>()
  const numbers = new Map<HostId, number>()

  const breakOff: HostCalls["breakOff"] = (host) => {
    numbers.delete(host.id)
    return FiberMap.remove(fibers, host.id)
  }

  const calls: HostCalls = {
    breakOff,
    carryOut: Effect.fnUntraced(function* (host, wanted) {
      const running = numbers.get(host.id)
      if (running !== undefined && running !== host.snapshot.context.seq) yield* breakOff(host)
      const next = wanted.at(-1)
      if (next === undefined) return undefined
      numbers.set(host.id, next.call)
      return yield* FiberMap.run(
        fibers,
        host.id,
        interpret(host, next, tell(host)).pipe(
          Effect.catchCause((cause) =>
            Cause.hasInterruptsOnly(cause)
              ? Effect.void
              : Effect.logError(`${next.kind} broke off; the state's deadline takes over`, cause)
          ),
          Effect.provideContext(services),
          Effect.annotateLogs({ module: "hosts", host_id: host.id })
        )
      )
    })
  }
  return calls
})
