/** The one place where a permission is asked for: REST, RPC and sockets all come through here. */
import { Context, Effect } from "effect"
import { Forbidden, Unauthorized } from "#core/Errors.ts"
import type { Permission } from "#core/Permission.ts"
import type { Principal } from "#core/User.ts"
import { AllowedStage, BeforePasswordChange, RequiresStepUp } from "#http/api/AllowedStage.ts"

const mfaRequired = new Unauthorized({
  code: "mfa_required",
  message: "Your password was right, but a second factor is still needed. Give it, then try again."
})
const enrolmentRequired = new Unauthorized({
  code: "mfa_required",
  message: "Set up a second factor first: an authenticator app or a passkey. Nothing else is open until then."
})
const passwordChangeRequired = new Forbidden({
  code: "password_change_required",
  message: "Choose a new password first: the one you have was made by somebody else or has to be replaced."
})
const reauthRequired = new Forbidden({
  code: "reauth_required",
  message: "Prove again that it is you: give your second factor, then try again. It counts for five minutes."
})
const notForTokens = new Forbidden({
  code: "reauth_required",
  message: "This needs a person who has just proved who he is. An API token cannot do it: sign in to the console."
})

/** Unauthorized while a second factor is owed; Forbidden while the password has to be changed. For what says nothing else. */
export const requireSignedIn = (
  { kind, sign_in }: Principal,
  annotations: Context.Context<never> = Context.empty()
): Effect.Effect<void, Unauthorized | Forbidden> => {
  if (kind === "token") return Effect.void
  const stage = sign_in?.stage ?? "password"
  const allowed = Context.get(annotations, AllowedStage)
  if (stage !== "full" && allowed !== "either" && allowed !== stage) {
    return Effect.fail(stage === "password" ? mfaRequired : enrolmentRequired)
  }
  const open = allowed !== undefined || Context.get(annotations, BeforePasswordChange)
  return sign_in?.must_change_password === true && !open ? Effect.fail(passwordChangeRequired) : Effect.void
}

/** Forbidden where the caller did not prove within the last minutes who he is. */
export const requireStepUp = ({ token, sign_in }: Principal): Effect.Effect<void, Forbidden> => {
  if (token !== null) return Effect.fail(notForTokens)
  return sign_in?.stage === "full" && sign_in.fresh ? Effect.void : Effect.fail(reauthRequired)
}

/** Forbidden where the caller lacks it, and where the contract names none. */
export const authorize = (
  principal: Principal,
  need: Permission | "public" | undefined
): Effect.Effect<void, Forbidden> => {
  if (need !== undefined && (need === "public" || principal.permissions.has(need))) return Effect.void
  return Effect.fail(
    new Forbidden({
      message:
        principal.token === null
          ? `Your role (${principal.role}) does not allow this${need === undefined ? "" : `: it needs ${need}`}. Ask an administrator.`
          : `This API token does not allow this${need === undefined ? "" : `: it needs ${need}`}.`
    })
  )
}

/**
 * All that an endpoint asks of its caller, as it is annotated; the permission first, so that nobody steps up in vain. Somebody
 * who sets up his first second factor has nothing to step up with: he has just given his password.
 */
export const authorizeFor = Effect.fnUntraced(function* (
  principal: Principal,
  need: Permission | "public" | undefined,
  annotations: Context.Context<never>
) {
  yield* requireSignedIn(principal, annotations)
  yield* authorize(principal, need)
  if (Context.get(annotations, RequiresStepUp) && principal.sign_in?.stage !== "enrolling")
    yield* requireStepUp(principal)
})
