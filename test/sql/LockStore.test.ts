/** What a failed try to sign in counts. */
import { afterAll, beforeAll, expect, it } from "vitest"
import { beginTry, tryKey } from "#sql/LockStore.ts"
import { startTestStores, type TestStores } from "./testStores.ts"

let stores: TestStores
beforeAll(async () => {
  stores = await startTestStores()
})
afterAll(() => stores.stop())

const failuresAfter = async (first_failed: string, address: string) => {
  await stores.run(beginTry("address", address))
  await stores.rows(`update sign_in_failures set failures = 5, last_failed_at = ${first_failed} where key_hash = $1`, [
    tryKey("address", address)
  ])
  return (await stores.run(beginTry("address", address)))?.failures
}

it("counts a try once although one that began later was counted before it", async () => {
  expect(await failuresAfter("now() + interval '1 second'", "a")).toBe(6)
})

it("forgets one failure of an address a minute, and no more than there were", async () => {
  expect(await failuresAfter("now() - interval '59 seconds'", "b")).toBe(6)
  expect(await failuresAfter("now() - interval '121 seconds'", "c")).toBe(4)
  expect(await failuresAfter("now() - interval '1 day'", "d")).toBe(1)
})

it("counts every one of forty tries at once, and pauses from the twentieth on", async () => {
  const tries = await Promise.all(Array.from({ length: 40 }, () => stores.run(beginTry("address", "e"))))
  const counts = tries.flatMap((one) => (one === null ? [] : [one.failures]))
  expect(counts.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1))
})
