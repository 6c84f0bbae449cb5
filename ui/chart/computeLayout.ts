/** Computes the chart's layout from the machine: `node ui/chart/computeLayout.ts [--check]`. The browser ships no layout engine. */
import { readFileSync, writeFileSync } from "node:fs"
import type { AnyStateMachine } from "xstate"
import { hostMachine } from "#machines/hostMachine.ts"
import { layoutOf } from "./layoutOf.ts"

const file = new URL("layout.json", import.meta.url)

const spell = (machine: AnyStateMachine): string => `${JSON.stringify(layoutOf(machine), null, 2)}\n`

/** What is wrong with a stored layout, or null when it is the machine's. */
export const staleness = (machine: AnyStateMachine, stored: string): string | null => {
  const howTo = "run `node ui/chart/computeLayout.ts`, look at the chart and check in ui/chart/layout.json."
  try {
    return spell(machine) === stored ? null : `The chart's layout is not that of the host machine: ${howTo}`
  } catch (cause) {
    return `The chart's layout cannot be computed. ${cause instanceof Error ? cause.message : String(cause)} Then ${howTo}`
  }
}

const main = (args: ReadonlyArray<string>): number => {
  if (!args.includes("--check")) {
    writeFileSync(file, spell(hostMachine))
    return 0
  }
  const problem = staleness(hostMachine, readFileSync(file, "utf8"))
  if (problem !== null) console.error(problem)
  return problem === null ? 0 : 1
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2))
