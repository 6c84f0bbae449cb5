import { userInfo } from "node:os"
import { parseArgs } from "node:util"
import { newRequestId } from "#core/newId.ts"
import type { AuditOrigin } from "#sql/AuditStore.ts"
import { loadConfig } from "../Config.ts"
import { CommandError } from "./CommandError.ts"

/** The options of a command, each with a value, and the configuration of the instance they name. */
export const readOptions = (args: ReadonlyArray<string>, names: ReadonlyArray<string>) => {
  try {
    const options = Object.fromEntries([...names, "data-dir"].map((name) => [name, { type: "string" as const }]))
    const { values } = parseArgs({ args: [...args], options })
    const given = (name: string): string | undefined => {
      const value = values[name]
      return typeof value === "string" ? value : undefined
    }
    const folder = given("data-dir")
    return { given, config: loadConfig(folder === undefined ? {} : { data_dir: folder }) }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new CommandError({
      message: `${error.message.split(". ")[0] ?? error.message}: patch-manager --help shows what there is.`
    })
  }
}

/** Who acts here, as the audit log names it. */
export const commandOrigin = (): AuditOrigin => ({
  actor: { kind: "machine", id: "cli", name: `${userInfo().username} on the command line` },
  request_id: newRequestId(),
  source_address: "local"
})
