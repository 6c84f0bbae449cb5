/** A worker with 10,000 hosts: how soon it is up, and what it weighs after two sweeps. */
import type { Usage } from "./Child.ts"
import { type Report, shown } from "./Goal.ts"
import { type Installation, waitUntil } from "./Installation.ts"
import { schedulePolls, startWorker, withoutPause } from "./state.ts"

const weigh = async (at: Installation): Promise<string> => {
  const [row] = await at.query<{ bytes: string }>("select avg(length(context::text)) as bytes from host_snapshots")
  return shown(Number(row?.bytes))
}

/** As long as the context of a host in the middle of a job, which holds its order, baseline and changes. */
const lengthen = async (at: Installation, bytes: number): Promise<void> => {
  await at.query(
    `update host_snapshots
     set context = context || jsonb_build_object('bench', repeat('x', greatest(0, $1 - length(context::text))))`,
    [bytes]
  )
}

export const hydrate = async (at: Installation, report: Report): Promise<void> => {
  await schedulePolls(at, "now()")
  const { child: worker } = await startWorker(at, withoutPause)
  try {
    const first = (await at.fleet.stats()).calls
    await waitUntil("two sweeps", async () => (await at.fleet.stats()).calls >= first + 2 * at.hosts.length, 900_000)
    const { rssMiB } = await worker.ask<Usage>("usage")
    report.goal({
      name: `worker's memory at ${at.hosts.length} hosts after two sweeps`,
      value: rssMiB,
      limit: 600,
      unit: "MiB"
    })
  } finally {
    await worker.stop()
  }
  const natural = await weigh(at)
  await lengthen(at, 1_300)
  report.figure(`contexts of ${natural} bytes, lengthened to ${await weigh(at)}`)
  await schedulePolls(at, "now() + interval '1 hour'")
  await at.query("analyze")
  const started = await startWorker(at, {})
  try {
    const { cpuMs } = await started.child.ask<Usage>("usage")
    report.figure(`${shown(cpuMs / 1000)} s CPU from the start of the process`)
    const value = started.first.readyMs / 1000
    report.goal({ name: `hydrating ${at.hosts.length} hosts`, value, limit: 3, unit: "s" })
    const [row] = await at.query<{ n: string }>(
      "select count(*) as n from host_snapshots where parked_reason is not null"
    )
    report.goal({ name: "hosts that could not be loaded", value: Number(row?.n), limit: 0, unit: "hosts" })
  } finally {
    await started.child.stop()
  }
}
