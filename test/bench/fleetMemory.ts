/** What the stand-in fleet itself weighs, by its own measuring program. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import type { Report } from "./Goal.ts"

const limitsMiB: Readonly<Record<string, number>> = { 2500: 400, 10_000: 1_024 }

export const fleetMemory = async (report: Report): Promise<void> => {
  const program = new URL("../fleet/memory.ts", import.meta.url).pathname
  const child = spawn(process.execPath, [program, "--fleet", Object.keys(limitsMiB).join(",")], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const ended = once(child, "exit")
  let lines = 0
  for await (const line of createInterface({ input: child.stdout })) {
    const { hosts, rss_at_rest_mib } = JSON.parse(line) as { readonly hosts: number; readonly rss_at_rest_mib: number }
    const limit = limitsMiB[hosts] ?? 0
    report.goal({ name: `fleet of ${hosts} at rest`, value: rss_at_rest_mib, limit, unit: "MiB" })
    lines += 1
  }
  await ended
  if (lines < Object.keys(limitsMiB).length) throw new Error("The fleet's memory could not be measured.")
}
