import { userInfo } from "node:os"
import * as Schema from "effect/Schema"
import { Permission } from "#core/Permission.ts"
import { createToken } from "#http/server/createToken.ts"
import { CommandError } from "./CommandError.ts"
import { inInstance } from "./instanceDatabase.ts"
import { readOptions } from "./readOptions.ts"

const units = { m: "minutes", h: "hours", d: "days" } as const
const isPermission = Schema.is(Permission)

/** Reads 30m, 12h or 90d. */
const lifetime = (text: string) => {
  const [, amount = "", unit = ""] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  if (unit !== "m" && unit !== "h" && unit !== "d") {
    throw new CommandError({ message: `--expires ${text} is not understood: write 30m, 12h or 90d.` })
  }
  return `${Number(amount)} ${units[unit]}` as const
}

/** Reads hosts:read,jobs:read. */
const readPermissions = (text: string): ReadonlyArray<Permission> =>
  text.split(",").map((word) => {
    const permission = word.trim()
    if (isPermission(permission)) return permission
    throw new CommandError({ message: `There is no permission "${permission}": docs/api.md lists them.` })
  })

/** `token create`: prints the token alone; the manager keeps only its hash. */
export const tokenCreate = async (args: ReadonlyArray<string>): Promise<void> => {
  const { given, config } = readOptions(args, ["user", "name", "expires", "permissions"])
  const username = given("user")
  const name = given("name")
  const permissions = given("permissions")
  if (username === undefined || name === undefined) {
    throw new CommandError({ message: "Say for whom and what for: token create --user admin --name backup-script." })
  }
  const token = await inInstance(
    config,
    createToken({
      username,
      name,
      expiresIn: lifetime(given("expires") ?? "90d"),
      ...(permissions === undefined ? {} : { permissions: readPermissions(permissions) }),
      madeBy: `${userInfo().username} on the command line`
    })
  )
  process.stdout.write(`${token}\n`)
}
