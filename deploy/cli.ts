import { secretsRotate } from "./cli/secrets.ts"
import { networkAllow, networkReset, networkShow } from "./cli/network.ts"
import { tokenCreate } from "./cli/tokenCreate.ts"
import { userBreakGlass, userCreate, userResetMfa, userResetPassword } from "./cli/user.ts"
import { auditExport, auditKey, auditVerify } from "./cli/audit.ts"
import { CommandError } from "./cli/CommandError.ts"

/** A command prints its result, and nothing else, on standard output. */
const commands: Record<string, (args: ReadonlyArray<string>) => Promise<void>> = {
  "audit export": auditExport,
  "audit key": auditKey,
  "audit verify": auditVerify,
  "secrets rotate": secretsRotate,
  "network allow": networkAllow,
  "network reset": networkReset,
  "network show": networkShow,
  "token create": tokenCreate,
  "user break-glass": userBreakGlass,
  "user create": userCreate,
  "user reset-mfa": userResetMfa,
  "user reset-password": userResetPassword
}

const help = `patch-manager COMMAND [options]

  audit export [--from TIME] [--to TIME] [--out FILE] [--data-dir FOLDER]
      the audit log as lines of JSON, for tools/verify-audit.mjs
  audit key [--data-dir FOLDER]
      prints the public keys that checkpoints of the audit log are signed with
  audit verify [--data-dir FOLDER]
      has the worker verify the audit log and waits; exit code 2 when something is wrong
  secrets rotate [--data-dir FOLDER]
      seals what the database holds sealed with a new key and drops the old one
  token create --user NAME --name TEXT [--expires 90d] [--permissions hosts:read,…] [--data-dir FOLDER]
      makes a token for a script and prints it, once; it may do all that a token of this user can unless permissions are named
  user break-glass [--name break-glass] [--data-dir FOLDER]
      makes or renews the emergency account and prints its sheet, once
  user create --name NAME --role admin|operator|auditor [--display-name TEXT] [--data-dir FOLDER]
      makes a user and prints the password for the first sign-in, once
  user reset-mfa --name NAME [--data-dir FOLDER]
      removes the user's second factors; the next sign-in sets up a new one
  user reset-password --name NAME [--data-dir FOLDER]
      gives the user a new password for the next sign-in and prints it, once

  network show | network allow NETWORK... | network reset [--data-dir FOLDER]
      who may connect: shows it, lets more networks in, or nobody but this machine; counts at once

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
