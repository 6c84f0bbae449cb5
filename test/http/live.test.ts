import { afterAll, beforeAll, expect, it } from "vitest"
import WebSocket from "ws"
import { machineVersion } from "#machines/hostMachine.ts"
import { randomToken, tokenHash } from "#http/server/opaqueToken.ts"
import { raiseSession } from "#sql/SessionStore.ts"
import { startTestWeb, type TestWeb } from "./TestWeb.ts"

let web: TestWeb
let token: string
let cookie: string
let host: string
beforeAll(async () => {
  web = await startTestWeb()
  await web.addUser("admin", "admin")
  await web.addUser("olga", "operator")
  const session = await web.signIn("admin")
  token = session.token
  cookie = session.cookie
  host = await web.addHost(token, { address: "127.0.2.1" })
})
afterAll(() => web.stop())

const ticketFor = async (bearer = token) =>
  (await web.call("POST", "/api/v1/ws/ticket", { token: bearer })).string("ticket")

interface Message {
  readonly type: string
  readonly seq: number
  readonly [key: string]: unknown
}

/** A browser's socket with everything it was told. */
const open = async (path: string, options: { ticket?: string; origin?: string } = {}) => {
  const ticket = options.ticket ?? (await ticketFor())
  const socket = new WebSocket(`wss://127.0.0.1:${web.port}/api/v1/ws/${path}?ticket=${ticket}`, {
    ca: web.ca,
    headers: { host: `localhost:${web.port}`, origin: options.origin ?? `https://localhost:${web.port}` }
  })
  const messages: Array<Message> = []
  socket.on("message", (data) => messages.push(JSON.parse(String(data)) as Message))
  const closed = new Promise<number>((resolve) => socket.on("close", resolve))
  const refused = new Promise<number>((resolve) => {
    socket.on("unexpected-response", (_request, response) => {
      resolve(response.statusCode ?? 0)
      socket.terminate()
    })
  })
  socket.on("error", () => undefined)
  const opened = new Promise<"open">((resolve) => socket.on("open", () => resolve("open")))
  const subscribe = (subscribe: object) => socket.send(JSON.stringify({ subscribe }))
  const of = (type: string) => messages.filter((message) => message.type === type)
  const told = async (type: string, count = 1) => {
    await expect.poll(() => of(type).length, { timeout: 8000, interval: 20 }).toBeGreaterThanOrEqual(count)
    return of(type)
  }
  return { socket, messages, closed, opened, outcome: Promise.race([opened, refused]), subscribe, of, told }
}

const nowSeq = async (): Promise<number> => {
  const browser = await open("fleet")
  await browser.opened
  browser.subscribe({ from_seq: null })
  const [hello] = await browser.told("hello")
  browser.socket.close()
  return hello!.seq
}

/** Moves a host the way the worker's commit does: snapshot, transition, feed, hint. */
const move = async (link: string, version: number) => {
  await web.rows(
    `with s as (update host_snapshots set link = $2, summary = $2, version = $3, since = now() where host_id = $1),
      t as (insert into host_transitions (host_id, version, machine_version, event_type, event, from_link, to_link, from_work, to_work)
        values ($1, $3, $4, 'poll.ok', '{"type":"poll.ok","at":1,"reason":null}', 'unknown', $2, 'idle', 'idle')),
      f as (insert into change_feed (topic, host_id, version) values ('host', $1, $3))
    select pg_notify('feed', '')`,
    [host, link, version, machineVersion]
  )
}

it("opens once per ticket, for who asked for it", async () => {
  const ticket = await ticketFor()
  const first = await open("fleet", { ticket })
  expect(await first.outcome).toBe("open")
  const second = await open("fleet", { ticket })
  expect(await second.outcome).toBe(401)
  first.socket.close()
  const rows = await web.rows<{ text: string }>("select t::text as text from ws_tickets t")
  expect(rows.some((row) => row.text.includes(ticket))).toBe(false)
})

it("refuses no ticket, an old one, a changed one, and the token in its place", async () => {
  const old = await ticketFor()
  await web.rows("update ws_tickets set expires_at = now() where used_at is null")
  const changed = (await ticketFor()).replace(/[^.]*$/, "01a200e4-e652-72f9-b45c-117b1e318cc9")
  for (const ticket of ["", "x", old, changed, token]) {
    expect(await (await open("fleet", { ticket })).outcome).toBe(401)
  }
})

it("refuses another site's page, and keeps the ticket for ours", async () => {
  const ticket = await ticketFor()
  expect(await (await open("fleet", { ticket, origin: "https://evil.example" })).outcome).toBe(403)
  const ours = await open("fleet", { ticket })
  expect(await ours.outcome).toBe("open")
  ours.socket.close()
})

it("refuses who may not read what the socket tells", async () => {
  const { createToken } = await import("#http/server/createToken.ts")
  const narrow = await web.run(
    createToken({ username: "olga", name: "live", expiresIn: "1 hour", permissions: ["live:open", "hosts:read"] })
  )
  expect(await (await open("jobs", { ticket: await ticketFor(narrow) })).outcome).toBe(403)
  const fleet = await open("fleet", { ticket: await ticketFor(narrow) })
  expect(await fleet.outcome).toBe("open")
  fleet.socket.close()
})

it("tells a host's move and its transition in words within a second", async () => {
  const browser = await open("fleet")
  await browser.opened
  browser.subscribe({ from_seq: null, host_id: host })
  await browser.told("hello")
  const start = performance.now()
  await move("healthy", 1)
  const [told] = await browser.told("host")
  const [transition] = await browser.told("transition")
  expect(performance.now() - start).toBeLessThan(1000)
  expect(told).toMatchObject({ host: { id: host, link: "healthy", summary: "healthy", state_version: 1 } })
  expect(transition).toMatchObject({
    transition: { host_id: host, version: 1, words: expect.stringMatching(/^The host answered a poll\. Connection: /) }
  })
  browser.socket.close()
})

it("resumes where a browser left off, without a gap, and keeps the order", async () => {
  const from = await nowSeq()
  await move("degraded", 2)
  await move("healthy", 3)
  const browser = await open("fleet")
  await browser.opened
  browser.subscribe({ from_seq: from, host_id: host })
  const transitions = await browser.told("transition", 2)
  // What shared the last number seen comes again.
  expect(transitions.map((message) => (message["transition"] as { version: number }).version).slice(-2)).toEqual([2, 3])
  expect(browser.of("resync")).toEqual([])
  const seqs = browser.messages.filter((message) => message.type !== "hello").map((message) => message.seq)
  expect(seqs).toEqual(seqs.toSorted((a, b) => a - b))
  browser.socket.close()
})

it("says resync to a browser that was away too long or knows a future this database has not", async () => {
  for (const from_seq of [1, 10 ** 12]) {
    const browser = await open("fleet")
    await browser.opened
    browser.subscribe({ from_seq })
    const [resync] = await browser.told("resync")
    expect(resync!.seq).toBeGreaterThan(1)
    browser.socket.close()
  }
})

it("takes a slow transaction's row although a later one was seen before it", async () => {
  const { testClient } = await import("#test/setup/testClient.ts")
  const browser = await open("fleet")
  await browser.opened
  browser.subscribe({ from_seq: null })
  await browser.told("hello")
  const slow = testClient(web.databaseUrl)
  const early = testClient(web.databaseUrl)
  await Promise.all([slow.connect(), early.connect()])
  const second = await web.addHost(token, { address: "127.0.2.2" })
  await browser.told("host", 1)
  const before = browser.of("host").length
  await early.query("begin")
  await early.query("select pg_current_xact_id()")
  await slow.query("begin")
  await slow.query("insert into change_feed (topic, host_id) values ('host', $1)", [host])
  await early.query("insert into change_feed (topic, host_id) values ('host', $1)", [second])
  await early.query("select pg_notify('feed', '')")
  await early.query("commit")
  const ids = () =>
    browser
      .of("host")
      .slice(before)
      .map((message) => (message["host"] as { id: string }).id)
  await expect.poll(ids, { timeout: 5000 }).toEqual([second])
  await slow.query("commit")
  await expect.poll(ids, { timeout: 5000 }).toEqual([second, host])
  await Promise.all([slow.end(), early.end()])
  browser.socket.close()
})

it("tells a job and, to who watches it, its hosts", async () => {
  const everybody = await open("jobs")
  await everybody.opened
  everybody.subscribe({ from_seq: null })
  await everybody.told("hello")
  const made = await web.call("POST", "/api/v1/jobs", {
    token,
    body: { kind: "reboot", when: { kind: "immediate" }, host_ids: [host] },
    headers: { "idempotency-key": "live" }
  })
  const id = made.string("id")
  const [job] = await everybody.told("job")
  expect(job).toMatchObject({ job: { id, state: "queued", hosts_total: 1, counts: { queued: 1 } } })
  const watcher = await open("jobs")
  await watcher.opened
  watcher.subscribe({ from_seq: null, job_id: id })
  await watcher.told("hello")
  await web.call("POST", `/api/v1/jobs/${id}/cancel`, { token })
  const [share] = await watcher.told("job_host")
  expect(share).toMatchObject({ job_host: { job_id: id, host_id: host, state: "cancelled", ended: true } })
  await everybody.told("job", 2)
  expect(everybody.of("job_host")).toEqual([])
  expect(everybody.of("host")).toEqual([])
  watcher.socket.close()
  everybody.socket.close()
})

it("tells an operator nothing about hosts of other groups", async () => {
  const foreign = await web.addHost(token, { address: "127.0.2.3" })
  await web.rows(
    "with g as (insert into groups (id, name) values (gen_random_uuid(), 'foreign') returning id) insert into host_groups select $1, id from g",
    [foreign]
  )
  const olga = (await web.signIn("olga")).token
  const browser = await open("fleet", { ticket: await ticketFor(olga) })
  await browser.opened
  browser.subscribe({ from_seq: null, host_id: foreign })
  await browser.told("hello")
  await web.rows("insert into change_feed (topic, host_id, version) values ('host', $1, 1)", [foreign])
  await web.rows("insert into change_feed (topic, host_id) values ('host', $1)", [host])
  await web.rows("select pg_notify('feed', '')")
  const hosts = await browser.told("host")
  expect(hosts.map((message) => (message["host"] as { id: string }).id)).toEqual([host])
  expect(browser.messages.some((message) => JSON.stringify(message).includes(foreign))).toBe(false)
  browser.socket.close()
})

it("ends when nothing sensible is said", async () => {
  const browser = await open("fleet")
  await browser.opened
  browser.socket.send("hello?")
  expect(await browser.closed).toBe(1008)
})

it("goes on after its database connections were cut", async () => {
  const browser = await open("fleet")
  await browser.opened
  browser.subscribe({ from_seq: null })
  await browser.told("hello")
  await web.rows(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'test web'"
  )
  await move("degraded", 4)
  const told = await browser.told("host")
  expect(told.at(-1)).toMatchObject({ host: { link: "degraded" } })
  browser.socket.close()
})

it("cuts off a browser that stopped reading, with a code that says come back", async () => {
  const browser = await open("fleet")
  await browser.opened
  browser.subscribe({ from_seq: null })
  await browser.told("hello")
  browser.socket.pause()
  const filler = JSON.stringify({ type: "filler", seq: 0, text: "x".repeat(200_000) })
  const { AppSocket } = await import("#http/server/AppSocket.ts")
  const [ours] = [...AppSocket.live]
  let accepted = 0
  while (ours!.tell(filler)) accepted++
  expect(accepted).toBeLessThan(60)
  expect(ours!.readyState).toBe(WebSocket.CLOSING)
  browser.socket.resume()
  expect(await browser.closed).toBe(1013)
})

it("goes on over a fresh proof of who is asking, and ends with the session that follows", async () => {
  const { token: bearer, session } = await web.signIn("olga")
  const browser = await open("fleet", { ticket: await ticketFor(bearer) })
  await browser.opened
  browser.subscribe({ from_seq: null })
  await browser.told("hello")
  const origin = {
    actor: { kind: "user", id: "-", name: "olga" },
    request_id: "-",
    source_address: "127.0.0.1"
  } as const
  const visitor = { source_address: "127.0.0.1", user_agent: "" }
  const next = await web.run(raiseSession(origin, session, "totp", tokenHash(randomToken()), visitor))
  let closed: number | null = null
  void browser.closed.then((code) => (closed = code))
  // Longer than it takes to look at the session twice.
  await new Promise((resolve) => setTimeout(resolve, 4500))
  expect(closed).toBe(null)
  await web.rows("update sessions set ended_at = now(), end_reason = 'test' where id = $1", [next])
  expect(await browser.closed).toBe(4401)
})

it("ends within seconds when the session does", async () => {
  const browser = await open("fleet")
  await browser.opened
  browser.subscribe({ from_seq: null })
  await browser.told("hello")
  await web.call("POST", "/api/v1/auth/logout", { headers: { cookie } })
  expect(await browser.closed).toBe(4401)
})
