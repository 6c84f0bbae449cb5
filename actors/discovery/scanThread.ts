/**
 * The thread that scans: 1,024 connections at once, TLS handshakes paced, and the main thread of the worker never waits for any
 * of it. Imports nothing heavy, since it starts anew for each scan.
 */
import { parentPort, workerData } from "node:worker_threads"
import { addressesOf, readNetwork } from "#core/network.ts"
import { makePace } from "./makePace.ts"
import { probe, probeContext } from "./probe.ts"
import type { Finding, ScanMessage, ScanOrder } from "./scanMessages.ts"

const TELL_EVERY_MS = 100

const tell = (message: ScanMessage): void => parentPort?.postMessage(message)

const scan = async ({ cidr, port, ca_pem, ends_at }: ScanOrder): Promise<void> => {
  const network = readNetwork(cidr)
  if (network === null) throw new Error(`${cidr} is no network.`)
  let findings: Array<Finding> = []
  const tellFound = (): void => {
    if (findings.length > 0) tell({ type: "found", findings })
    findings = []
  }
  const pace = makePace()
  const signal = AbortSignal.timeout(Math.max(0, ends_at - Date.now()))
  signal.addEventListener("abort", pace.flush)
  const context = probeContext({ port, ca_pem, pace, signal })
  let cut_off = 0
  const telling = setInterval(tellFound, TELL_EVERY_MS)
  try {
    await Promise.all(
      addressesOf(network).map(async (address) => {
        const finding = await probe(address, context)
        findings.push(finding)
        if (signal.aborted) cut_off += 1
      })
    )
  } finally {
    clearInterval(telling)
    pace.stop()
  }
  tellFound()
  tell({ type: "done", cut_off })
}

scan(workerData as ScanOrder).catch((error: unknown) =>
  tell({ type: "broken", message: error instanceof Error ? error.message : String(error) })
)
