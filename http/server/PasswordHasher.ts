/** argon2id, at most two at once: hashing takes threads that file access and name lookups need too. */
import { randomBytes } from "node:crypto"
import * as argon2 from "argon2"
import { Context, Effect, Layer, Semaphore } from "effect"
import { TooManyRequests } from "#core/Errors.ts"

const AT_ONCE = 2
const WAITING = 8

const cost = { type: argon2.argon2id, memoryCost: 65536, timeCost: 3, parallelism: 1 } as const

const busy = new TooManyRequests({
  code: "sign_in_busy",
  message: "Too many people sign in at this moment. Try again in a few seconds.",
  details: { retry_after_seconds: 5 }
})

export const hashPassword = (password: string): Effect.Effect<string> =>
  Effect.promise(() => argon2.hash(password, cost))

const make = Effect.gen(function* () {
  const semaphore = yield* Semaphore.make(AT_ONCE)
  const nobody = yield* hashPassword(randomBytes(32).toString("base64url"))
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
    hash: (password: string) => limited(hashPassword(password)),
    /** Takes as long for an account without a password, or no account at all, as for a wrong one. */
    verify: (hash: string | null, password: string) =>
      Effect.map(
        limited(Effect.promise(() => argon2.verify(hash ?? nobody, password))),
        (matches) => matches && hash !== null
      )
  }
})

export class PasswordHasher extends Context.Service<PasswordHasher, Effect.Success<typeof make>>()(
  "patch-manager/http/PasswordHasher"
) {
  static readonly layer = Layer.effect(PasswordHasher, make)
}
