/** Whether a new password is taken on this installation, by its settings and its block list. */
import { Effect } from "effect"
import { passwordFault } from "#core/PasswordPolicy.ts"
import { readSettings } from "#sql/SettingsStore.ts"
import { commonPasswords, commonWords } from "./commonPasswords.ts"

/** The reason it is refused for; null where it is taken. `about` is what the person and this installation are called. */
export const refusePassword = Effect.fnUntraced(function* (password: string, about: ReadonlyArray<string>) {
  const { pci_profile } = yield* readSettings()
  return passwordFault(password, {
    pci_profile,
    about,
    isCommonPassword: (text) => commonPasswords.has(text),
    isCommonWord: (text) => commonWords.has(text)
  })
})
