/** Carries out the scans people ask for, one after the other. A hint wakes it; without one it looks every few seconds. */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { Context, Data, Effect, Layer, Queue } from "effect"
import { claimScan, interruptOrphans } from "#sql/DiscoveryRun.ts"
import { runScan } from "./runScan.ts"

export class ScannerError extends Data.TaggedError("ScannerError")<{ readonly message: string }> {}

const LOOK_EVERY = "5 seconds"

const make = (epoch: number, secretsDir: string) =>
  Effect.gen(function* () {
    const ca_pem = yield* Effect.tryPromise({
      try: () => readFile(join(secretsDir, "ca.pem"), "utf8"),
      catch: (cause) => new ScannerError({ message: `The CA's certificate cannot be read: ${String(cause)}` })
    })
    const bell = yield* Queue.sliding<void>(1)
    const carryOut = Effect.gen(function* () {
      yield* interruptOrphans(epoch)
      for (let scan = yield* claimScan(epoch); scan !== null; scan = yield* claimScan(epoch)) {
        yield* runScan(scan, epoch, ca_pem)
      }
    })
    yield* carryOut.pipe(
      Effect.catch((error) => Effect.logWarning("A scan could not be carried out", error)),
      Effect.catchDefect((defect) => Effect.logError("A scan failed", defect)),
      Effect.andThen(Effect.timeoutOption(Queue.take(bell), LOOK_EVERY)),
      Effect.forever,
      Effect.annotateLogs({ module: "discovery" }),
      Effect.forkScoped
    )
    return { wake: Effect.asVoid(Queue.offer(bell, undefined)) }
  })

export class Scanner extends Context.Service<Scanner, Effect.Success<ReturnType<typeof make>>>()(
  "patch-manager/discovery/Scanner"
) {
  /** `secretsDir` holds `ca.pem`. */
  static readonly layer = (epoch: number, secretsDir: string) => Layer.effect(Scanner, make(epoch, secretsDir))
}
