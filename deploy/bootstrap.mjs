// The first thing npm runs. It may meet an old Node and an empty checkout, so it and bootstrap/ import only node: modules.
import { commandLine } from "./bootstrap/commandLine.mjs"
import { buildConsole, buildServer } from "./bootstrap/build.mjs"
import { check } from "./bootstrap/check.mjs"
import { refuseUnusable } from "./bootstrap/environment.mjs"
import { install } from "./bootstrap/install.mjs"
import { runToEnd } from "./bootstrap/run.mjs"
import { say } from "./bootstrap/say.mjs"

const [command = "", ...args] = process.argv.slice(2)

const prepare = {
  start: args.includes("--dev") ? [buildConsole] : [buildConsole, buildServer],
  build: [buildConsole, buildServer],
  test: [buildConsole],
  "test:e2e": [buildConsole, buildServer],
  "test:faults": [buildConsole],
  "test:security": [buildConsole],
  "test:simulation": [],
  "test:start": [],
  bench: [buildConsole, buildServer],
  check: [],
  cli: []
}

try {
  const steps = prepare[command]
  if (steps === undefined) {
    throw new Error(`"${command}" is no command: use one of ${Object.keys(prepare).join(", ")}.`)
  }
  refuseUnusable()
  await install()
  for (const step of steps) await step()
  if (command === "check") process.exitCode = await check()
  else if (command !== "build") process.exitCode = await runToEnd(commandLine(command, args))
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  process.exitCode = process.exitCode || error?.exitCode || 1
}
