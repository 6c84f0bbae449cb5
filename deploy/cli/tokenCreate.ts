import { userInfo } from "node:os"
import { parseArgs } from "node:util"
import { createToken } from "#http/server/createToken.ts"
import { loadConfig } from "../Config.ts"
import { CommandError } from "./CommandError.ts"
import { inInstance } from "./instanceDatabase.ts"

const units = { m: "minutes", h: "hours", d: "days" } as const

/** Reads 30m, 12h or 90d. */
const lifetime = (text: string) => {
  const [, amount = "", unit = ""] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  if (unit !== "m" && unit !== "h" && unit !== "d") {
    throw new CommandError({ message: `--expires ${text} is not understood: write 30m, 12h or 90d.` })
  }
  return `${Number(amount)} ${units[unit]}` as const
}

const parse = (args: ReadonlyArray<string>) => {
  try {
    return parseArgs({
      args: [...args],
      options: {
        user: { type: "string" },
        name: { type: "string" },
        expires: { type: "string", default: "90d" },
        "data-dir": { type: "string" }
      }
    }).values
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split(". ")[0] ?? error.message) : String(error)
    throw new CommandError({ message: `${reason}: patch-manager --help shows what there is.` })
  }
}

/** `token create`: prints the token alone; the manager keeps only its hash. */
export const tokenCreate = async (args: ReadonlyArray<string>): Promise<void> => {
  const values = parse(args)
  if (values.user === undefined || values.name === undefined) {
    throw new CommandError({ message: "Say for whom and what for: token create --user admin --name backup-script." })
  }
  const config = loadConfig(values["data-dir"] === undefined ? {} : { data_dir: values["data-dir"] })
  const token = await inInstance(
    config,
    createToken({
      username: values.user,
      name: values.name,
      expiresIn: lifetime(values.expires),
      madeBy: `${userInfo().username} on the command line`
    })
  )
  process.stdout.write(`${token}\n`)
}
