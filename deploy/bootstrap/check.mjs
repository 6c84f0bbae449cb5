import { inRoot } from "./paths.mjs"
import { runToEnd } from "./run.mjs"
import { say } from "./say.mjs"

const bin = (...parts) => inRoot("node_modules", ...parts)

const checks = [
  ["format", [bin("oxfmt", "bin", "oxfmt"), "--check"]],
  ["lint", [bin("oxlint", "bin", "oxlint")]],
  ["types", [bin("typescript", "bin", "tsc"), "--noEmit", "-p", "tsconfig.json"]],
  ["the chart's layout", [inRoot("ui", "chart", "computeLayout.ts"), "--check"]],
  ["architecture", [bin("vitest", "vitest.mjs"), "run", "test/architecture"]]
]

/** Runs every check, so that one run shows all there is to mend; answers the exit code. */
export const check = async () => {
  const failed = []
  for (const [name, args] of checks) {
    say(`Checking ${name}.`)
    if ((await runToEnd({ args, variables: {} })) !== 0) failed.push(name)
  }
  say(failed.length === 0 ? "All checks pass." : `Failed: ${failed.join(", ")}.`)
  return failed.length === 0 ? 0 : 1
}
