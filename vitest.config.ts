import { configDefaults, defineConfig } from "vitest/config"

/** The long suites have folders of their own and run one at a time: SUITE=e2e vitest run. */
const longSuites = ["e2e", "faults", "security", "simulation-long", "bench", "start"]
const suite = process.env["SUITE"]

if (suite !== undefined && !longSuites.includes(suite)) {
  throw new Error(`SUITE=${suite} is unknown: use one of ${longSuites.join(", ")}.`)
}

export default defineConfig({
  test: {
    include: suite === undefined ? ["test/**/*.test.ts"] : [`test/${suite}/**/*.test.ts`],
    exclude: [
      ...configDefaults.exclude,
      ...(suite === undefined ? longSuites.map((folder) => `test/${folder}/**`) : [])
    ],
    globalSetup: suite === "start" ? [] : ["test/setup/postgres.ts"],
    pool: "forks",
    maxWorkers: suite === undefined || suite === "faults" || suite === "security" ? 2 : 1,
    reporters:
      suite === "faults" || suite === "security" ? ["default", `./test/${suite}/RowsReporter.ts`] : ["default"],
    testTimeout: suite === undefined ? 20_000 : 300_000,
    hookTimeout: suite === undefined ? 30_000 : 300_000,
    teardownTimeout: 40_000,
    passWithNoTests: false
  }
})
