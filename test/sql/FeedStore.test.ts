import { afterAll, beforeAll, expect, it } from "vitest"
import { feedEnd, readFeed, readFeedSpan } from "#sql/FeedStore.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import { testClient } from "#test/setup/testClient.ts"
import { startTestStores, type TestStores } from "./testStores.ts"

let stores: TestStores
beforeAll(async () => {
  stores = await startTestStores()
})
afterAll(() => stores.stop())

const insert = "insert into change_feed (topic) values ('host')"

it("reads every row once, whatever order transactions end in", async () => {
  const clients = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const client = testClient(stores.url)
      await client.connect()
      return client
    })
  )
  let position = await stores.run(feedEnd)
  const start = position
  const seen: Array<number> = []
  const read = async () => {
    const rows = await stores.run(readFeed(position, 100))
    seen.push(...rows.map((row) => row.seq))
    const last = rows.at(-1)
    if (last) position = { xid: last.xid, seq: last.seq }
  }
  let state = 20261122
  const next = (below: number): number => {
    state = (state * 48271) % 2147483647
    return Math.floor((state / 2147483647) * below)
  }
  const open = clients.map(() => false)
  for (let step = 0; step < 240; step++) {
    const n = next(clients.length)
    const client = clients[n]!
    if (!open[n]) {
      await client.query("begin")
      if (next(2)) await client.query("select pg_current_xact_id()")
      open[n] = true
    } else if (next(2)) {
      await client.query(insert)
    } else {
      await client.query(next(5) === 0 ? "rollback" : "commit")
      open[n] = false
    }
    if (next(3) === 0) await read()
  }
  await Promise.all(
    clients.map(async (client) => {
      await client.query("commit")
      await client.end()
    })
  )
  const rows = await stores.rows<{ seq: string }>("select seq from change_feed order by seq")
  // A transaction of any database of the cluster holds readers back until it ends; another test's may be long.
  await until(
    async () => {
      await read()
      return seen.length
    },
    (count) => count >= rows.length,
    15_000
  )
  expect(seen.length).toBeGreaterThan(30)
  expect(seen.toSorted((a, b) => a - b)).toEqual(rows.map((row) => Number(row.seq)))
  const span = await stores.run(readFeedSpan(start.xid, position.xid, { limit: 1000, knownComplete: true }))
  expect(span?.map((row) => row.seq)).toEqual(seen)
})

it("knows when the beginning of a span is gone, or when it is too long", async () => {
  const { end } = await until(
    async () => {
      const end = await stores.run(feedEnd)
      return { end, span: await stores.run(readFeedSpan(1, end.xid, { limit: 1000, knownComplete: true })) }
    },
    ({ span }) => span === null || span.length > 3,
    15_000
  )
  expect(await stores.run(readFeedSpan(1, end.xid, { limit: 1000, knownComplete: false }))).toBeNull()
  expect(await stores.run(readFeedSpan(1, end.xid, { limit: 3, knownComplete: true }))).toBeNull()
})
