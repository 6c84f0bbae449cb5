/** Runs many lives and adds them up. */
import { Life, type LifeOptions, type LifeReport } from "./Life.ts"

export interface Total {
  readonly lives: number
  readonly events: number
  readonly crashes: number
  readonly sends: number
  readonly starts: number
  readonly places: ReadonlySet<string>
  readonly taken: ReadonlySet<string>
  readonly endings: Readonly<Record<string, number>>
  /** The lives in which something was wrong, with their seeds. */
  readonly broken: ReadonlyArray<LifeReport>
}

export const simulate = (lives: number, firstSeed: number, options: Omit<LifeOptions, "seed">): Total => {
  const places = new Set<string>()
  const taken = new Set<string>()
  const endings: Record<string, number> = {}
  const broken: Array<LifeReport> = []
  const sum = { lives, events: 0, crashes: 0, sends: 0, starts: 0 }
  for (let seed = firstSeed; seed < firstSeed + lives; seed++) {
    const report = new Life({ ...options, seed }).run()
    sum.events += report.events
    sum.crashes += report.crashes
    sum.sends += report.sends
    sum.starts += report.starts
    report.places.forEach((place) => places.add(place))
    report.taken.forEach((one) => taken.add(one))
    for (const [verdict, count] of Object.entries(report.endings)) endings[verdict] = (endings[verdict] ?? 0) + count
    if (report.broken.length > 0) broken.push(report)
  }
  return { ...sum, places, taken, endings, broken }
}

/** For a failing test's message: how to see each broken life again. */
export const describeBroken = (total: Total): string =>
  total.broken
    .slice(0, 10)
    .map(({ seed, broken }) => `SIMULATION_SEED=${seed}: ${broken.slice(0, 3).join("; ")}`)
    .join("\n")
