import { loadConfig } from "./Config.ts"
import { logWriter } from "./Log.ts"
import { help, parseFlags } from "./start/flags.ts"
import { StopRequested } from "./start/StartError.ts"
import { type Starting, startProduct } from "./start/startProduct.ts"
import { stopSwitch } from "./start/StopSwitch.ts"

// When the terminal closes the next write fails; that must not end us before everything has stopped.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined)

const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

/** A known failure has a message for the operator; anything else is a defect and shows where it happened. */
const explain = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return "_tag" in error ? error.message : (error.stack ?? error.message)
}

const takeBack = async (starting: Starting): Promise<void> => {
  for (const undo of starting.undo.toReversed()) {
    try {
      await undo()
    } catch (error) {
      process.exitCode = 1
      process.stderr.write(`${explain(error)}\n`)
    }
  }
}

const run = async (starting: Starting): Promise<void> => {
  try {
    await startProduct(starting)
    await starting.stop.requested
    print("Stopping.")
  } catch (error) {
    if (!(error instanceof StopRequested || starting.stop.signal.aborted)) {
      process.exitCode = 1
      process.stderr.write(`${explain(error)}\n`)
    }
  } finally {
    await takeBack(starting)
  }
}

const main = async (): Promise<void> => {
  const asked = parseFlags(process.argv.slice(2))
  if (asked.help) return print(help)
  const config = loadConfig(asked.settings)
  const starting: Starting = {
    config,
    log: logWriter("start", config.log),
    print,
    stop: stopSwitch(),
    undo: [],
    children: []
  }
  starting.stop.onInsist(() => {
    for (const child of starting.children) child.kill()
  })
  await run(starting)
  if (starting.stop.signal.aborted && process.exitCode === undefined) print("Stopped; nothing is left running.")
}

try {
  await main()
} catch (error) {
  process.stderr.write(`${explain(error)}\n`)
  process.exitCode = 1
}
process.exit()
