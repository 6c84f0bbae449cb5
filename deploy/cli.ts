import { tokenCreate } from "./cli/tokenCreate.ts"
import { CommandError } from "./cli/CommandError.ts"

/** A command prints its result, and nothing else, on standard output. */
const commands: Record<string, (args: ReadonlyArray<string>) => Promise<void>> = {
  "token create": tokenCreate
}

const help = `patch-manager COMMAND [options]

  token create --user NAME --name TEXT [--expires 90d] [--data-dir FOLDER]
      makes a token for a script and prints it, once

In a checkout: npm run --silent cli -- COMMAND [options], or bin/patch-manager.`

const main = async (args: ReadonlyArray<string>): Promise<void> => {
  if (args.length === 0 || args.includes("--help")) {
    process.stdout.write(`${help}\n`)
    return
  }
  const name = args.slice(0, 2).join(" ")
  const command = commands[name]
  if (command === undefined) {
    throw new CommandError({ message: `There is no command "${name}": patch-manager --help shows what there is.` })
  }
  await command(args.slice(2))
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  const shown = error instanceof Error ? ("_tag" in error ? error.message : error.stack) : String(error)
  process.stderr.write(`${shown}\n`)
  process.exitCode = 1
}
