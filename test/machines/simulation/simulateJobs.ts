/** Runs many jobs' lives and adds them up. */
import { JobLife, type JobLifeOptions, type JobLifeReport } from "./JobLife.ts"

export interface JobTotal {
  readonly lives: number
  readonly crashes: number
  readonly starts: number
  readonly alarms: number
  readonly states: ReadonlySet<string>
  readonly taken: ReadonlySet<string>
  readonly reasons: ReadonlySet<string>
  readonly verdicts: ReadonlySet<string>
  readonly broken: ReadonlyArray<JobLifeReport>
}

export const simulateJobs = (lives: number, firstSeed: number, options: Omit<JobLifeOptions, "seed">): JobTotal => {
  const sets = {
    states: new Set<string>(),
    taken: new Set<string>(),
    reasons: new Set<string>(),
    verdicts: new Set<string>()
  }
  const sum = { lives, crashes: 0, starts: 0, alarms: 0 }
  const broken: Array<JobLifeReport> = []
  for (let seed = firstSeed; seed < firstSeed + lives; seed++) {
    const report = new JobLife({ ...options, seed }).run()
    sum.crashes += report.crashes
    sum.starts += report.starts
    sum.alarms += report.alarms
    for (const key of ["states", "taken", "reasons", "verdicts"] as const)
      for (const one of report[key]) sets[key].add(one)
    if (report.broken.length > 0) broken.push(report)
  }
  return { ...sum, ...sets, broken }
}

/** For a failing test's message: how to see each broken life again. */
export const describeBrokenJobs = ({ broken }: JobTotal): string =>
  broken
    .slice(0, 10)
    .map((report) => `SIMULATION_SEED=${report.seed}: ${report.broken.slice(0, 3).join("; ")}`)
    .join("\n")
