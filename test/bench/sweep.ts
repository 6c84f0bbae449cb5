/** The CPU that one health poll costs the whole worker, against loops that do nothing but the poll. */
import { agentClientDefaults } from "#actors/agent/AgentClient.ts"
import { defaultWorkerSettings } from "#actors/hosts/WorkerSettings.ts"
import { type Child, startChild, type Usage } from "./Child.ts"
import { median, percentile, type Report, shown } from "./Goal.ts"
import { type Installation, waitUntil } from "./Installation.ts"
import type { RawOrder, RawResult, RawStart } from "./rawLoop.ts"
import { startWorker, withoutPause } from "./state.ts"

interface Sweep {
  readonly cpuMs: number
  readonly wallMs: number
  readonly polls: number
  readonly transitions: number
}

const transitions = async (at: Installation): Promise<number> =>
  Number((await at.query<{ n: string }>("select count(*) as n from host_transitions"))[0]?.n)

/** From now until the fleet has answered as many calls as there are hosts, `sweeps` times. */
const watch = async (at: Installation, worker: Child, sweeps: number, beforeEach?: (n: number) => Promise<void>) => {
  const stored = await transitions(at)
  const began = performance.now()
  const cpu = await worker.ask<Usage>("usage")
  const first = (await at.fleet.stats()).calls
  for (let n = 0; n < sweeps; n++) {
    await beforeEach?.(n)
    const wanted = first + (n + 1) * at.hosts.length
    await waitUntil("a sweep", async () => (await at.fleet.stats()).calls >= wanted, 120_000)
  }
  const polls = (await at.fleet.stats()).calls - first
  const cpuMs = (await worker.ask<Usage>("usage")).cpuMs - cpu.cpuMs
  const wallMs = performance.now() - began
  return { cpuMs: cpuMs / polls, wallMs, polls, transitions: (await transitions(at)) - stored } satisfies Sweep
}

/** Every host changes between healthy and degraded with every sweep, so that every poll takes a step and a commit. */
const turn = (at: Installation) => (n: number) =>
  n % 2 === 0 ? at.fleet.misbehaveAll({ kind: "degraded", reason: "gpg_missing" }) : at.fleet.misbehaveAll()

const words = ({ cpuMs, wallMs, polls, transitions: stored }: Sweep): string =>
  `${cpuMs.toFixed(3)} ms CPU a poll, ${polls} polls in ${shown(wallMs / 1000)} s, ${stored} transitions`

const rawWords = ({ cpuMsPerPoll, wallMs, latencies, errors }: RawResult): string =>
  `${cpuMsPerPoll.toFixed(3)} ms CPU a poll, ${shown(wallMs / 1000)} s, p50 ${shown(percentile(latencies, 0.5))} ms, ` +
  `p99 ${shown(percentile(latencies, 0.99))} ms, ${errors} errors`

const ROUNDS = 1
/** Until the compiler has seen the whole way of a poll; then also every session is there to be resumed. */
const WARM_UP_POLLS = 5_000

export const sweep = async (at: Installation, report: Report): Promise<void> => {
  const { child: raw } = await startChild<string>("rawLoop.ts", {
    secretsDir: at.secretsDir,
    port: at.port,
    addresses: at.hosts.map(({ address }) => address),
    concurrency: defaultWorkerSettings.pollers
  } satisfies RawStart)
  const failures = async (): Promise<number> =>
    Number(
      (await at.query<{ n: string }>("select count(*) as n from host_health_data where failed_at is not null"))[0]?.n
    )

  try {
    for (const resumed of [false, true]) {
      const mode = resumed ? "resumed" : "new handshakes"
      const measured = new Map<RawOrder["kind"], Array<RawResult>>()
      const measureRaw = async () => {
        for (const kind of ["https", "tls", "tls_handshake"] as const) {
          const result = await raw.ask<RawResult>({ kind, resumed } satisfies RawOrder)
          report.figure(`raw ${kind}, ${mode}: ${rawWords(result)}`)
          measured.set(kind, [...(measured.get(kind) ?? []), result])
        }
      }
      const rawCpu = (kind: RawOrder["kind"]) => median((measured.get(kind) ?? []).map((it) => it.cpuMsPerPoll))
      const calm: Array<Sweep> = []
      const busy: Array<Sweep> = []
      await measureRaw()
      // The first round warms the loops, and the sessions where they are resumed.
      measured.clear()
      await measureRaw()
      for (let round = 0; round < ROUNDS; round++) {
        const { child: worker } = await startWorker(at, withoutPause, {
          sessionMaxAgeMs: resumed ? agentClientDefaults.sessionMaxAgeMs : 0
        })
        try {
          await watch(at, worker, Math.ceil(WARM_UP_POLLS / at.hosts.length))
          await at.fleet.resetStats()
          calm.push(await watch(at, worker, 3))
          busy.push(await watch(at, worker, 4, turn(at)))
          await at.fleet.misbehaveAll()
          const { handshakes, resumed: again, failed_handshakes: failed } = await at.fleet.stats()
          report.figure(`worker, ${mode}: ${again} of ${handshakes} handshakes resumed, ${failed} failed`)
        } finally {
          await worker.stop()
        }
        await measureRaw()
      }
      for (const it of calm) report.figure(`worker, ${mode}, nothing changes: ${words(it)}`)
      for (const it of busy) report.figure(`worker, ${mode}, every host changes: ${words(it)}`)
      const limit = resumed ? 1.6 : 1.8
      const https = rawCpu("https")
      const cpu = (sweeps: ReadonlyArray<Sweep>) => median(sweeps.map((it) => it.cpuMs))
      const ratio = (name: string, value: number, most: number) => report.goal({ name, value, limit: most, unit: "x" })
      ratio(`sweep, ${mode}: worker / raw node:https, CPU a poll, nothing changes`, cpu(calm) / https, limit)
      ratio(`sweep, ${mode}: worker / raw node:https, CPU a poll, every host changes`, cpu(busy) / https, limit)
      const errors = [...measured.values()].flat().reduce((sum, it) => sum + it.errors, 0)
      report.goal({ name: `sweep, ${mode}: raw loop's errors`, value: errors, limit: 0, unit: "errors" })
      if (resumed) report.figure(`raw node:https / node:tls with a request, ${mode}: ${shown(https / rawCpu("tls"))}`)
      else ratio("raw node:https / raw node:tls with the same request, new handshakes", https / rawCpu("tls"), 1.15)
      report.figure(`raw node:https / node:tls handshake alone, ${mode}: ${shown(https / rawCpu("tls_handshake"))}`)
    }
    report.goal({ name: "sweep: polls that failed", value: await failures(), limit: 0, unit: "hosts" })
  } finally {
    await raw.stop()
  }
}
