/**
 * How much work one password hash is: Argon2id with 64 MiB, and as many passes as take about a third of a second on this machine,
 * but never fewer than three (RFC 9106 §4, second choice, and above OWASP's least).
 */
import { randomBytes } from "node:crypto"
import * as argon2 from "argon2"
import { Effect } from "effect"
import { readPasswordCost, writePasswordCost, type PasswordCost } from "#sql/PasswordCost.ts"

export type HashCost = Pick<PasswordCost, "memory_kib" | "time_cost">

export const leastCost: HashCost = { memory_kib: 65_536, time_cost: 3 }

const WANTED_MILLIS = 350
/** Fewer than this and a pass is added. */
const LEAST_MILLIS = 250
const MOST_PASSES = 30

export const argonOptions = ({ memory_kib, time_cost }: HashCost) =>
  ({ type: argon2.argon2id, memoryCost: memory_kib, timeCost: time_cost, parallelism: 1 }) as const

/** The quickest of some: what else the machine does at this moment must not make the hashes of all time cheap. */
const measure = async (cost: HashCost, rounds: number): Promise<number> => {
  const password = randomBytes(16).toString("base64url")
  let quickest = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const began = performance.now()
    await argon2.hash(password, argonOptions(cost))
    quickest = Math.min(quickest, performance.now() - began)
  }
  return quickest
}

/** The cost for a machine, by what `millisOf` says a hash takes there. */
export const calibrate = async (
  millisOf: (cost: HashCost, rounds: number) => Promise<number> = measure
): Promise<PasswordCost> => {
  const first = await millisOf(leastCost, 3)
  const found = (cost: HashCost, millis: number) => ({ ...cost, millis: Math.round(millis) })
  if (first >= LEAST_MILLIS) return found(leastCost, first)
  const passes = Math.round((leastCost.time_cost * WANTED_MILLIS) / first)
  const cost = { ...leastCost, time_cost: Math.min(MOST_PASSES, Math.max(leastCost.time_cost, passes)) }
  return found(cost, await millisOf(cost, 1))
}

/** The cost of this installation; measured where it never was. */
export const ensurePasswordCost = Effect.gen(function* () {
  const stored = yield* readPasswordCost(leastCost)
  if (stored !== null) return stored
  const measured = yield* Effect.promise(() => calibrate())
  yield* writePasswordCost(measured)
  return measured
})

/** The same for a program that hashes once and does not wait for a measurement. */
export const currentCost = Effect.map(readPasswordCost(leastCost), (stored): HashCost => stored ?? leastCost)
