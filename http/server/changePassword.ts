/** Somebody chooses a new password: the current one first, then the rules, and in the PCI profile those before it. */
import { Effect } from "effect"
import { refuseField } from "#core/Errors.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import { originOf } from "#sql/AuditStore.ts"
import { earlierPasswords } from "#sql/PasswordHistory.ts"
import { readSettings } from "#sql/SettingsStore.ts"
import { findUser, setPassword } from "#sql/UserStore.ts"
import { beginTries, failTries, takeBackTries } from "./checkPassword.ts"
import { PasswordHasher } from "./PasswordHasher.ts"
import { refusePassword } from "./refusePassword.ts"
import { WebConfig } from "./WebSettings.ts"

const CURRENT = "payload.current_password"
const NEW = "payload.new_password"

const noPassword = refuseField(CURRENT, "Your account signs in through the identity provider and has no password here.")
const sealed = refuseField(
  NEW,
  "The emergency account's password is sealed: make a new account on the machine instead."
)

/** Ends every other session. A wrong current password counts with those at sign-in, and waits with them. */
export const changePassword = Effect.fnUntraced(function* (change: {
  readonly current_password: string
  readonly new_password: string
}) {
  const caller = yield* CurrentCaller
  const config = yield* WebConfig
  const hasher = yield* PasswordHasher
  const { user_id, username, session_id } = caller.principal
  const account = yield* findUser(user_id)
  if (account === null || account.password_hash === null) return yield* noPassword
  if (account.origin === "break_glass") return yield* sealed
  const tries = yield* beginTries(username, caller.source_address)
  const verify = (hash: string, password: string) =>
    hasher.verify(hash, password).pipe(Effect.tapError(() => takeBackTries(tries)))
  if (!(yield* verify(account.password_hash, change.current_password))) {
    yield* failTries(tries, account, originOf(caller), "user.password_change_failed")
    return yield* refuseField(CURRENT, "This is not your current password.")
  }
  yield* takeBackTries(tries)
  const fault = yield* refusePassword(change.new_password, [
    username,
    account.user.display_name,
    new URL(config.publicUrl).hostname
  ])
  if (fault !== null) return yield* refuseField(NEW, fault)
  const { pci_profile } = yield* readSettings()
  const before = [account.password_hash, ...(pci_profile ? yield* earlierPasswords(user_id) : [])]
  for (const hash of before) {
    if (!(yield* hasher.verify(hash, change.new_password))) continue
    return yield* refuseField(
      NEW,
      hash === account.password_hash
        ? "This is the password you have now. Choose another one."
        : "You had this password before: the last four and those of the last 90 days are refused (PCI profile)."
    )
  }
  const hash = yield* hasher.hash(change.new_password)
  yield* Effect.catchTag(setPassword(originOf(caller), user_id, hash, session_id), "NotFound", Effect.die)
})
