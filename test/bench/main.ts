/**
 * `npm run bench`, or `npm run bench -- sweep latency` for some of them. Prints figures and goals; exit code 1 when a goal is missed.
 */
import { cpus, loadavg } from "node:os"
import { parseArgs } from "node:util"
import { startTestPostgres } from "#test/setup/TestPostgres.ts"
import { type Goal, lineOf, meets, type Report } from "./Goal.ts"
import { install, type Installation } from "./Installation.ts"
import { sweep } from "./sweep.ts"

/** Benches that run on 2,500 hosts, in an order in which each may use what the one before it left. */
const onFleet: Readonly<Record<string, (at: Installation, report: Report) => Promise<void>>> = { sweep }

const load = (): string =>
  loadavg()
    .map((value) => value.toFixed(1))
    .join(" ")

const main = async (): Promise<void> => {
  const { positionals } = parseArgs({ allowPositionals: true })
  const known = [...Object.keys(onFleet)]
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

  const postgres = await startTestPostgres(true)
  try {
    const chosen = Object.entries(onFleet).filter(([name]) => wanted(name))
    if (chosen.length > 0) {
      const at = await install(postgres.url, 2_500)
      try {
        const [row] = await at.query<{ version: string }>("select version()")
        say(row?.version ?? "")
        for (const [name, bench] of chosen) {
          say(`${name}, load ${load()}`)
          await bench(at, report)
        }
      } finally {
        await at.stop()
      }
    }
  } finally {
    await postgres.stop()
  }
  const missed = goals.filter((goal) => !meets(goal))
  say(`${goals.length - missed.length} of ${goals.length} goals met, load ${load()}.`)
  if (missed.length > 0) process.exitCode = 1
}

await main()
