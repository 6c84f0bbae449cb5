/** Accounts from the command line, for whoever is at the machine when nobody can sign in. No web process is needed. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Role } from "#core/Permission.ts"
import { Username } from "#core/UserAccount.ts"
import { newRecoveryCodes } from "#http/server/recoveryCodes.ts"
import { createUser } from "#http/server/createUser.ts"
import { currentCost } from "#http/server/passwordCost.ts"
import { hashPassword } from "#http/server/PasswordHasher.ts"
import { temporaryPassword } from "#http/server/temporaryPassword.ts"
import { sealBreakGlass } from "#sql/BreakGlassStore.ts"
import { resetFactorsOf, resetPasswordOf } from "#sql/machineUserChanges.ts"
import { CommandError } from "./CommandError.ts"
import { inInstance } from "./instanceDatabase.ts"
import { commandOrigin, readOptions } from "./readOptions.ts"

const isUsername = Schema.is(Username)
const isRole = Schema.is(Role)

const nameOf = (given: string | undefined, example: string): string => {
  if (given === undefined) throw new CommandError({ message: `Say for whom: ${example}.` })
  if (!isUsername(given)) {
    throw new CommandError({
      message: `"${given}" is no user name: up to 64 small letters, digits and . _ - @, beginning with a letter or a digit.`
    })
  }
  return given
}

const print = (text: string): void => void process.stdout.write(`${text}\n`)

const hashed = (password: string) => Effect.flatMap(currentCost, (cost) => hashPassword(password, cost))

/** `user create`: prints the password alone; it is changed at the first sign-in. */
export const userCreate = async (args: ReadonlyArray<string>): Promise<void> => {
  const { given, config } = readOptions(args, ["name", "role", "display-name"])
  const username = nameOf(given("name"), "user create --name olga --role operator")
  const role = given("role")
  if (!isRole(role)) {
    throw new CommandError({ message: "--role says what the user may do: admin, operator or auditor." })
  }
  const displayName = given("display-name") ?? username
  const password = temporaryPassword()
  await inInstance(config, createUser({ username, displayName, role, password, mustChangePassword: true }))
  print(password)
}

/** `user reset-password`: prints the new password alone; it is changed at the next sign-in. */
export const userResetPassword = async (args: ReadonlyArray<string>): Promise<void> => {
  const { given, config } = readOptions(args, ["name"])
  const username = nameOf(given("name"), "user reset-password --name olga")
  const password = temporaryPassword()
  await inInstance(
    config,
    Effect.flatMap(hashed(password), (hash) => resetPasswordOf(commandOrigin(), username, hash))
  )
  print(password)
}

/** `user reset-mfa`: the next sign-in sets up a new second factor. */
export const userResetMfa = async (args: ReadonlyArray<string>): Promise<void> => {
  const { given, config } = readOptions(args, ["name"])
  const username = nameOf(given("name"), "user reset-mfa --name olga")
  await inInstance(config, resetFactorsOf(commandOrigin(), username))
  print(`${username} sets up a new second factor at the next sign-in.`)
}

/** `user break-glass`: a sheet to print and seal. What is on it is shown this once. */
export const userBreakGlass = async (args: ReadonlyArray<string>): Promise<void> => {
  const { given, config } = readOptions(args, ["name"])
  const username = nameOf(given("name") ?? "break-glass", "user break-glass --name break-glass")
  const password = temporaryPassword()
  const recovery_codes = newRecoveryCodes()
  await inInstance(
    config,
    Effect.flatMap(hashed(password), (password_hash) =>
      sealBreakGlass(commandOrigin(), { username, password_hash, recovery_codes })
    )
  )
  print(`Emergency account of the Linux Patch Manager

user name  ${username}
password   ${password}
codes      ${recovery_codes.join("\n           ")}

Print this sheet, seal it and lock it away; it is shown this once. Each code is good for one sign-in or one confirmation.
From the first sign-in on the account lasts four hours, and every administrator sees an alarm.
After use, and once a year, seal a new one: patch-manager user break-glass --name ${username}`)
}
