import { serverIsFresh } from "./build.mjs"
import { inRoot } from "./paths.mjs"

const vitest = inRoot("node_modules", "vitest", "vitest.mjs")
const suites = {
  "test:e2e": "e2e",
  "test:faults": "faults",
  "test:security": "security",
  "test:simulation": "simulation-long",
  "test:start": "start"
}

/** What Node 24 runs for a command of package.json. */
export const commandLine = (command, args) => {
  if (command === "test") return { args: [vitest, "run", ...args], variables: {} }
  // All rows of the fault matrix, whatever FAULT_PART says.
  if (command === "test:faults" && args.includes("--all")) {
    const rest = args.filter((arg) => arg !== "--all")
    return { args: [vitest, "run", ...rest], variables: { SUITE: "faults", FAULT_PART: "all" } }
  }
  if (command in suites) return { args: [vitest, "run", ...args], variables: { SUITE: suites[command] } }
  if (command === "bench") return { args: [inRoot("test", "bench", "main.ts"), ...args], variables: {} }
  if (command === "cli") {
    const file = serverIsFresh() ? inRoot(".build", "server", "cli.mjs") : inRoot("deploy", "cli.ts")
    return { args: [file, ...args], variables: {} }
  }
  const file = args.includes("--dev") ? inRoot("deploy", "start.ts") : inRoot(".build", "server", "start.mjs")
  return { args: [file, ...args], variables: {} }
}
