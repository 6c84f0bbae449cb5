/** argon2id, at most two at once: hashing takes threads that file access and name lookups need too. */
import { randomBytes } from "node:crypto"
import * as argon2 from "argon2"
import { Context, Effect, Layer, Semaphore } from "effect"
import { TooManyRequests } from "#core/Errors.ts"
import { argonOptions, ensurePasswordCost, type HashCost, leastCost } from "./passwordCost.ts"
import { WebConfig } from "./WebSettings.ts"

const AT_ONCE = 2
const WAITING = 8

const busy = new TooManyRequests({
  code: "sign_in_busy",
  message: "Too many people sign in at this moment. Try again in a few seconds.",
  details: { retry_after_seconds: 5 }
})

/** One form for what another keyboard composes otherwise; nothing else about a password is changed. */
const whole = (password: string): string => password.normalize("NFC")

export const hashPassword = (password: string, cost: HashCost = leastCost): Effect.Effect<string> =>
  Effect.promise(() => argon2.hash(whole(password), argonOptions(cost)))

const make = Effect.gen(function* () {
  const config = yield* WebConfig
  const cost = config.passwordCost ?? (yield* ensurePasswordCost)
  const semaphore = yield* Semaphore.make(AT_ONCE)
  const nobody = yield* hashPassword(randomBytes(32).toString("base64url"), cost)
  let inside = 0
  const limited = <A>(work: Effect.Effect<A>): Effect.Effect<A, TooManyRequests> =>
    Effect.suspend(() => {
      if (inside >= AT_ONCE + WAITING) return Effect.fail(busy)
      inside++
      return Effect.ensuring(
        semaphore.withPermit(work),
        Effect.sync(() => inside--)
      )
    })
  return {
    hash: (password: string) => limited(hashPassword(password, cost)),
    /** Takes as long for an account without a password, or no account at all, as for a wrong one. */
    verify: (hash: string | null, password: string) =>
      Effect.map(
        limited(Effect.promise(() => argon2.verify(hash ?? nobody, whole(password)))),
        (matches) => matches && hash !== null
      ),
    /** Whether a hash was made with another cost than this installation's. */
    isOutdated: (hash: string): boolean => argon2.needsRehash(hash, argonOptions(cost))
  }
})

export class PasswordHasher extends Context.Service<PasswordHasher, Effect.Success<typeof make>>()(
  "patch-manager/http/PasswordHasher"
) {
  static readonly layer = Layer.effect(PasswordHasher, make)
}
