/** One claimed scan from its thread to its rows: what the thread finds is kept as it comes, and a cancelled scan stops at once. */
import { Worker } from "node:worker_threads"
import { Effect, Option, Queue, Schedule } from "effect"
import { HostId } from "#core/Ids.ts"
import { type ClaimedScan, finishScan, type FoundAt, writeProgress } from "#sql/DiscoveryRun.ts"
import type { Finding, ScanMessage, ScanOrder } from "./scanMessages.ts"

/** A look for a wish to cancel, and a sign of life, at least this often. */
const LOOK_EVERY = "250 millis"
/** From the claim to the end of the last probe; what it found is written within ten seconds, also on a busy machine. */
const SCAN_MS = 9_200
/** For a thread that hangs. */
const DEADLINE = "13 seconds"

/** Beside this file while developing, a bundle of its own in production. */
const threadFile = new URL(import.meta.url.endsWith(".ts") ? "./scanThread.ts" : "./scan.mjs", import.meta.url)

const startThread = Effect.fnUntraced(function* (order: ScanOrder) {
  const inbox = yield* Queue.unbounded<ScanMessage>()
  const broken = (message: string): void => void Queue.offerUnsafe(inbox, { type: "broken", message })
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      const thread = new Worker(threadFile, { workerData: order, resourceLimits: { maxOldGenerationSizeMb: 192 } })
      thread.on("message", (message: ScanMessage) => void Queue.offerUnsafe(inbox, message))
      thread.on("error", (error) => broken(error instanceof Error ? error.message : String(error)))
      thread.on("exit", (code) => broken(`The scanning thread ended with code ${code}.`))
      return thread
    }),
    (thread) => Effect.promise(() => thread.terminate())
  )
  return inbox
})

/** No answer for a moment is no reason to throw a scan away. */
const patiently = Effect.retry({ schedule: Schedule.spaced("500 millis"), times: 10 })

const rowOf = (finding: Finding): FoundAt => ({
  ...finding,
  host_id: finding.host_id === null ? null : HostId.make(finding.host_id)
})

const follow = Effect.fnUntraced(function* (scan: ClaimedScan, epoch: number, inbox: Queue.Dequeue<ScanMessage>) {
  for (;;) {
    const messages = Option.getOrElse(
      yield* Effect.timeoutOption(Queue.takeAll(inbox), LOOK_EVERY),
      (): ReadonlyArray<ScanMessage> => []
    )
    const found = messages.flatMap((message) => (message.type === "found" ? message.findings.map(rowOf) : []))
    const next = yield* patiently(writeProgress(scan.id, epoch, found))
    if (next === "gone") return
    const end = messages.find((message) => message.type !== "found")
    if (end?.type === "done") {
      const message =
        end.cut_off === 0
          ? null
          : `${end.cut_off} addresses were not looked at to the end in the ten seconds of a scan. Scan a smaller network.`
      return yield* patiently(finishScan(scan.id, epoch, { state: "done", message }))
    }
    if (next === "cancelled") return yield* patiently(finishScan(scan.id, epoch, { state: "cancelled", message: null }))
    if (end?.type === "broken") {
      return yield* patiently(finishScan(scan.id, epoch, { state: "failed", message: end.message }))
    }
  }
})

/** Ends when the scan has ended in the database, or belongs to another worker. */
export const runScan = (scan: ClaimedScan, epoch: number, ca_pem: string) =>
  Effect.scoped(
    Effect.flatMap(
      Effect.suspend(() => startThread({ cidr: scan.cidr, port: scan.port, ca_pem, ends_at: Date.now() + SCAN_MS })),
      (inbox) => follow(scan, epoch, inbox)
    )
  ).pipe(
    Effect.timeoutOrElse({
      duration: DEADLINE,
      orElse: () =>
        patiently(
          finishScan(scan.id, epoch, { state: "failed", message: "The scan did not end in time. Start it again." })
        )
    })
  )
