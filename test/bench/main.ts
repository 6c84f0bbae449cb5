/**
 * `npm run bench`, or `npm run bench -- sweep latency` for some of them; `--scale 0.2` takes a fifth of
 * the hosts, for a quick look. Prints figures and goals; exit code 1 when a goal is missed.
 */
import { cpus, loadavg } from "node:os"
import { parseArgs } from "node:util"
import { startTestPostgres } from "#test/setup/TestPostgres.ts"
import { type Goal, lineOf, meets, type Report } from "./Goal.ts"
import { auditLog } from "./auditLog.ts"
import { install, type Installation } from "./Installation.ts"
import { fleetMemory } from "./fleetMemory.ts"
import { bigJob } from "./bigJob.ts"
import { hostList } from "./hostList.ts"
import { hydrate } from "./hydrate.ts"
import { latency } from "./latency.ts"
import { sweep } from "./sweep.ts"

type Bench = (at: Installation, report: Report) => Promise<void>

/** Benches by the number of hosts they run on, in an order in which each may use what the one before it left. */
const suites: ReadonlyArray<readonly [hosts: number, benches: Readonly<Record<string, Bench>>]> = [
  [2_500, { sweep, latency, hostList, bigJob }],
  [10_000, { hydrate }]
]

const load = (): string =>
  loadavg()
    .map((value) => value.toFixed(1))
    .join(" ")

const main = async (): Promise<void> => {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { scale: { type: "string", default: "1" } }
  })
  const scale = Number(values.scale)
  if (!(scale > 0 && scale <= 1)) throw new Error(`--scale is a number above 0 and at most 1, not "${values.scale}".`)
  const known = [...suites.flatMap(([, benches]) => Object.keys(benches)), "auditLog", "fleetMemory"]
  const unknown = positionals.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new Error(`There is no bench "${unknown.join('", "')}": use ${known.join(", ")}.`)
  const wanted = (name: string): boolean => positionals.length === 0 || positionals.includes(name)
  const goals: Array<Goal> = []
  const say = (text: string): void => void process.stdout.write(`${text}\n`)
  const report: Report = {
    figure: (text) => say(`      ${text}`),
    goal: (goal) => {
      goals.push(goal)
      say(lineOf(goal))
    }
  }
  const [cpu] = cpus()
  say(`${cpus().length} x ${cpu?.model ?? "unknown CPU"}, Node ${process.versions.node}, load ${load()}`)

  const run = async (name: string, bench: () => Promise<void>): Promise<void> => {
    say(`${name}, load ${load()}`)
    await bench()
  }
  const postgres = await startTestPostgres(true)
  try {
    for (const [full, benches] of suites) {
      const hosts = Math.round(full * scale)
      const chosen = Object.entries(benches).filter(([name]) => wanted(name))
      if (chosen.length === 0) continue
      const at = await install(postgres.url, hosts)
      try {
        const [row] = await at.query<{ server_version: string }>("show server_version")
        say(`${hosts} hosts, PostgreSQL ${row?.server_version}`)
        for (const [name, bench] of chosen) await run(name, () => bench(at, report))
      } finally {
        await at.stop()
      }
    }
    if (wanted("auditLog")) await run("auditLog", () => auditLog(postgres.url, scale, report))
  } finally {
    await postgres.stop()
  }
  if (wanted("fleetMemory")) await run("fleetMemory", () => fleetMemory(report))
  const missed = goals.filter((goal) => !meets(goal))
  say(`${goals.length - missed.length} of ${goals.length} goals met, load ${load()}.`)
  if (missed.length > 0) process.exitCode = 1
}

await main()
