/** Live sockets: who gets in, what he hears, and when he is out again. */
import { connect as tlsConnect } from "node:tls"
import { afterAll, beforeAll, expect } from "vitest"
import WebSocket from "ws"
import { sockets } from "#http/api/Live.ts"
import { startTestWeb, type TestWeb } from "#test/http/TestWeb.ts"
import { securityRow } from "./securityRow.ts"

/** What the web process logged, all of it. */
const lines: Array<string> = []
let web: TestWeb
let admin: Awaited<ReturnType<TestWeb["signIn"]>>
let host: string
beforeAll(async () => {
  web = await startTestWeb({}, (line) => lines.push(line))
  await web.addUser("admin", "admin")
  await web.addUser("olga", "operator")
  admin = await web.signIn("admin")
  host = await web.addHost(admin.token, { address: "127.0.6.1" })
})
afterAll(() => web.stop())

const paths = Object.values(sockets).map(({ path }) => path)
const ours = () => ({ host: `localhost:${web.port}`, origin: `https://localhost:${web.port}` })
const ticketFor = async (token = admin.token) =>
  (await web.call("POST", "/api/v1/ws/ticket", { token })).string("ticket")

/** A browser's end; `outcome` is "open" or the status it was refused with. */
const open = async (target: string, headers: Record<string, string | undefined> = ours()) => {
  const given = Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined)
  )
  const socket = new WebSocket(`wss://127.0.0.1:${web.port}${target}`, { ca: web.ca, headers: given })
  const heard: Array<{ readonly type: string; readonly seq?: number }> = []
  socket.on("message", (data) => heard.push(JSON.parse(String(data)) as { type: string; seq: number }))
  socket.on("error", () => undefined)
  const closed = new Promise<number>((resolve) => socket.on("close", resolve))
  const outcome = new Promise<"open" | number>((resolve) => {
    socket.on("open", () => resolve("open"))
    socket.on("unexpected-response", (_request, response) => {
      resolve(response.statusCode ?? 0)
      socket.terminate()
    })
  })
  const subscribe = (what: object = { from_seq: null }) => socket.send(JSON.stringify({ subscribe: what }))
  const hello = () =>
    expect.poll(() => heard.some(({ type }) => type === "hello"), { timeout: 5000, interval: 20 }).toBe(true)
  return { socket, heard, closed, outcome, subscribe, hello }
}

const openSocket = async (token?: string, path = "fleet") => {
  const one = await open(`/api/v1/ws/${path}?ticket=${await ticketFor(token)}`)
  expect(await one.outcome).toBe("open")
  return one
}

securityRow("S60", "Upgrade without a ticket", async (row) => {
  // Tickets that others were given, and nobody has used.
  for (let n = 0; n < 2; n++) await ticketFor()
  await row.assert("without a ticket, on any path: 401 before upgrade", async () => {
    for (const path of paths) {
      for (const query of ["", "?", "?ticket=", "?ticket=x", "?ticket=a&ticket=b"]) {
        expect([path, query, await (await open(`${path}${query}`)).outcome]).toEqual([path, query, 401])
      }
    }
    for (const path of ["/api/v1/ws", "/api/v1/ws/other", "/rpc", "/api/v1/hosts", "/"]) {
      expect([path, await (await open(path)).outcome]).not.toEqual([path, "open"])
    }
  })
  await row.assert("with a bearer in the URL: 401 before upgrade", async () => {
    for (const path of paths) {
      for (const query of [`?token=${admin.token}`, `?access_token=${admin.token}`, `?ticket=${admin.token}`]) {
        expect(await (await open(`${path}${query}`)).outcome).toBe(401)
      }
      expect(await (await open(path, { ...ours(), authorization: `Bearer ${admin.token}` })).outcome).toBe(401)
      expect(await (await open(path, { ...ours(), cookie: admin.cookie })).outcome).toBe(401)
    }
  })
  await row.assert("no message handled before authentication", async () => {
    const raw = await new Promise<string>((resolve, reject) => {
      const socket = tlsConnect({ port: web.port, host: "127.0.0.1", servername: "localhost", ca: web.ca }, () => {
        const { host: name, origin } = ours()
        socket.write(
          `GET ${paths[0]} HTTP/1.1\r\nHost: ${name}\r\nOrigin: ${origin}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`
        )
        const text = Buffer.from(JSON.stringify({ subscribe: { from_seq: null } }))
        socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]))
      })
      let answer = ""
      socket.on("data", (data) => (answer += data.toString("latin1")))
      socket.on("close", () => resolve(answer))
      socket.on("error", reject)
      socket.setTimeout(3000, () => socket.destroy())
    })
    expect(raw).toMatch(/^HTTP\/1\.1 401 /)
    expect(raw).not.toContain("hello")
  })
})

securityRow("S61", "Origin of a socket", async (row) => {
  const port = web.port
  const refused = async (...origins: ReadonlyArray<string | undefined>) => {
    for (const origin of origins) {
      const ticket = await ticketFor()
      const one = await open(`${paths[0]}?ticket=${ticket}`, { ...ours(), origin })
      expect([origin, await one.outcome]).toEqual([origin, 403])
    }
  }
  await row.assert("wrong: 403", () =>
    refused("https://evil.example", `http://localhost:${port}`, "https://localhost:1")
  )
  await row.assert("missing: 403", () => refused(undefined))
  await row.assert("null: 403", () => refused("null"))
  await row.assert("look-alike: 403", () =>
    refused(
      `https://localhost.evil.example:${port}`,
      `https://evil-localhost:${port}`,
      `https://localhost:${port}.evil.example`,
      `https://localhost:${port}@evil.example`,
      `https://lоcalhost:${port}`.normalize("NFKC").replace("о", "xn--"),
      `https://sub.localhost:${port}`
    )
  )
})

securityRow("S62", "Tickets", async (row) => {
  const target = (ticket: string) => `/api/v1/ws/fleet?ticket=${ticket}`
  await row.assert("used twice: first only", async () => {
    const ticket = await ticketFor()
    expect(await (await open(target(ticket))).outcome).toBe("open")
    expect(await (await open(target(ticket))).outcome).toBe(401)
  })
  await row.assert("two parallel uses: first only", async () => {
    for (let round = 0; round < 5; round++) {
      const ticket = await ticketFor()
      const both = await Promise.all([open(target(ticket)), open(target(ticket)), open(target(ticket))])
      const outcomes = await Promise.all(both.map(({ outcome }) => outcome))
      expect(outcomes.map(String).toSorted()).toEqual(["401", "401", "open"])
      for (const { socket } of both) socket.terminate()
    }
  })
  await row.assert("after 60 s: refused", async () => {
    const ticket = await ticketFor()
    const [found] = await web.rows<{ s: number }>(
      "select extract(epoch from expires_at - now()) as s from ws_tickets order by expires_at desc limit 1"
    )
    expect(Number(found!.s)).toBeLessThanOrEqual(60)
    await web.rows("update ws_tickets set expires_at = expires_at - interval '60 seconds'")
    expect(await (await open(target(ticket))).outcome).toBe(401)
  })
  await row.assert("from another session: it opens as the one that asked, and not once that has ended", async () => {
    const { token, cookie } = await web.signIn("olga")
    const ticket = await ticketFor(token)
    await web.call("POST", "/api/v1/auth/logout", { headers: { cookie } })
    expect(await (await open(target(ticket), { ...ours(), cookie: admin.cookie })).outcome).toBe(401)
  })
  await row.assert("bound to the permission: with less than the socket asks for, 403", async () => {
    const { token } = await web.signIn("olga")
    const ticket = await ticketFor(token)
    await web.rows("update ws_tickets set permissions = array_remove(permissions, 'hosts:read') where used_at is null")
    expect(await (await open(target(ticket))).outcome).toBe(403)
  })
  await row.assert("of somebody who owes a new password or a second factor by now: refused", async () => {
    const { token, session } = await web.signIn("olga")
    const owing = async (status: number, owe: string, undo: string) => {
      const ticket = await ticketFor(token)
      await web.rows(owe)
      expect([owe, await (await open(target(ticket))).outcome]).toEqual([owe, status])
      await web.rows(undo)
    }
    const must = (value: boolean) => `update users set must_change_password = ${value} where username = 'olga'`
    const stage = (text: string) => `update sessions set ${text} where id = '${session}'`
    await owing(403, must(true), must(false))
    await owing(
      401,
      stage("stage = 'password', factor = null, stepped_up_at = null"),
      stage("stage = 'full', factor = 'totp'")
    )
  })
  await row.assert("tickets are hashed at rest", async () => {
    const ticket = await ticketFor()
    const rows = await web.rows<{ text: string }>("select t::text as text from ws_tickets t")
    expect(rows.length).toBeGreaterThan(3)
    // What PostgreSQL shows of bytes is their hexadecimal digits.
    for (const form of [
      ticket,
      Buffer.from(ticket).toString("hex"),
      Buffer.from(ticket, "base64url").toString("hex")
    ]) {
      expect(rows.some(({ text }) => text.includes(form))).toBe(false)
    }
  })
  await row.assert("and never logged", async () => {
    const tickets = [await ticketFor(), "no-ticket-of-ours"]
    for (const ticket of [...tickets, ...tickets]) (await open(target(ticket))).socket.terminate()
    const log = () => lines.join("\n")
    await expect.poll(log, { timeout: 5000 }).toContain("/api/v1/ws/fleet 401")
    for (const ticket of tickets) expect(log()).not.toContain(ticket)
    expect(log()).not.toContain("?ticket")
  })
})

securityRow("S63", "Sockets after the end of what they stand on", async (row) => {
  const within5 = async (
    code: number,
    act: (session: { token: string; cookie: string; session: string }) => Promise<unknown>
  ) => {
    const session = await web.signIn("olga")
    const [fleet, jobs] = [await openSocket(session.token), await openSocket(session.token, "jobs")]
    fleet.subscribe()
    jobs.subscribe()
    await Promise.all([fleet.hello(), jobs.hello()])
    const began = performance.now()
    await act(session)
    expect(await Promise.all([fleet.closed, jobs.closed])).toEqual([code, code])
    expect(performance.now() - began).toBeLessThan(5000)
  }
  await row.assert("logout: closed within 5 s (4401)", () =>
    within5(4401, ({ cookie }) => web.call("POST", "/api/v1/auth/logout", { headers: { cookie } }))
  )
  await row.assert("revocation: closed within 5 s (4401)", () =>
    within5(4401, ({ session }) => web.call("DELETE", `/api/v1/sessions/${session}`, { token: admin.token }))
  )
  await row.assert("role change: closed within 5 s (4403)", () =>
    within5(4403, () => web.rows("update users set role = 'auditor' where username = 'olga'"))
  )
  await web.rows("update users set role = 'operator' where username = 'olga'")
  await row.assert("groups changed: closed within 5 s (4403)", () =>
    within5(4403, () =>
      web.rows(
        "with g as (insert into groups (id, name) values (gen_random_uuid(), 'olga''s') returning id) insert into user_groups (user_id, group_id) select u.id, g.id from users u, g where u.username = 'olga'"
      )
    )
  )
  await row.assert("deactivation: closed within 5 s (4401)", () =>
    within5(4401, () => web.rows("update users set disabled_at = now() where username = 'olga'"))
  )
  await web.rows("update users set disabled_at = null where username = 'olga'")
  await row.assert("idle limit: closed within 5 s (4401)", () =>
    within5(4401, ({ session }) =>
      web.rows("update sessions set last_active_at = now() - interval '61 minutes' where id = $1", [session])
    )
  )
  await row.assert("a revoked API token: closed within 5 s (4401)", async () => {
    const token = await web.tokenFor("olga")
    const socket = await openSocket(token)
    await web.rows("update api_tokens set revoked_at = now()")
    expect(await socket.closed).toBe(4401)
  })
})

securityRow("S64", "Subscriptions beyond one's sight", async (row) => {
  await row.assert("subscribe to a foreign host: told nothing, the same as for an unknown one", async () => {
    const foreign = await web.addHost(admin.token, { address: "127.0.6.2" })
    await web.rows(
      `insert into host_transitions (host_id, version, machine_version, event_type, event, from_link, to_link, from_work, to_work)
       values ($1, 1, 1, 'poll.ok', '{"type":"poll.ok"}', 'healthy', 'healthy', 'idle', 'idle')`,
      [foreign]
    )
    await web.rows(
      "with g as (insert into groups (id, name) values (gen_random_uuid(), 'foreign') returning id) insert into host_groups select $1, id from g",
      [foreign]
    )
    const { token } = await web.signIn("olga")
    for (const host_id of [foreign, "01a200e4-e652-72f9-b45c-117b1e318cc9"]) {
      const socket = await openSocket(token)
      socket.subscribe({ from_seq: null, host_id })
      await socket.hello()
      await web.rows("insert into change_feed (topic, host_id, version) values ('host', $1, 1)", [foreign])
      await web.rows("insert into change_feed (topic, host_id) values ('host', $1)", [host])
      await web.rows("select pg_notify('feed', '')")
      // The same again from before it happened.
      const later = await openSocket(token)
      const hears = (one: typeof socket) =>
        expect.poll(() => one.heard.some(({ type }) => type === "host"), { timeout: 5000 }).toBe(true)
      await hears(socket)
      later.subscribe({ from_seq: socket.heard.find(({ type }) => type === "hello")?.seq, host_id })
      await hears(later)
      for (const one of [socket, later]) {
        expect(JSON.stringify(one.heard)).not.toContain(foreign)
        one.socket.terminate()
      }
    }
  })
  const refused = async (subscribe: unknown) => {
    const socket = await openSocket()
    socket.socket.send(JSON.stringify(subscribe))
    expect(await socket.closed).toBe(1008)
  }
  await row.assert("subscribe to *: refused", async () => {
    for (const host_id of ["*", "%", "", ["*"]]) await refused({ subscribe: { from_seq: null, host_id } })
    await refused({ subscribe: { from_seq: null, topics: ["*"] } })
    await refused({ subscribe: "*" })
  })
  await row.assert("subscribe to 100,000 topics: refused", async () => {
    await refused({ subscribe: { from_seq: null, host_id: Array.from({ length: 1000 }, () => host) } })
    const socket = await openSocket()
    socket.socket.send(
      JSON.stringify({ subscribe: { from_seq: null, host_id: Array.from({ length: 100_000 }, () => host) } })
    )
    expect(await socket.closed).toBe(1009)
  })
  row.missing("limits 200 topics", "a subscription names at most one host and one job; there is no list to limit")
})

securityRow("S65", "Abuse of an open socket", async (row) => {
  const bystander = await openSocket()
  bystander.subscribe()
  await bystander.hello()
  let gone = false
  void bystander.closed.then(() => (gone = true))
  const closing = async (act: (socket: WebSocket) => void, ...codes: ReadonlyArray<number>) => {
    const one = await openSocket()
    one.subscribe()
    await one.hello()
    act(one.socket)
    expect(codes).toContain(await one.closed)
  }
  await row.assert("message of 10 MB: closed 1009", () =>
    closing((socket) => socket.send(Buffer.alloc(10 * 1024 * 1024, 97), { binary: false }), 1009, 1006)
  )
  await row.assert("10,000 messages a second: closed 1008", () =>
    closing((socket) => {
      for (let n = 0; n < 10_000; n++) socket.send(JSON.stringify({ subscribe: { from_seq: null } }))
    }, 1008)
  )
  await row.assert("fragments without end: closed 1009", () =>
    closing(
      (socket) => {
        for (let n = 0; n < 200; n++) socket.send("x".repeat(1000), { fin: false })
      },
      1009,
      1006
    )
  )
  /** A frame as it stands on the wire, masked with zeros. */
  const frame = (first: number, payload: Buffer) => {
    const head =
      payload.length < 126 ? [first, 0x80 | payload.length] : [first, 0xfe, payload.length >> 8, payload.length & 255]
    return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), payload])
  }
  const raw = (socket: WebSocket, bytes: Buffer) => {
    const inner: unknown = Reflect.get(socket, "_socket")
    ;(inner as { write: (bytes: Buffer) => void }).write(bytes)
  }
  await row.assert("bad UTF-8: closed 1007", () =>
    closing((socket) => raw(socket, frame(0x81, Buffer.from([0xc3, 0x28, 0xff, 0xfe]))), 1007)
  )
  await row.assert("compression bomb: compression is not agreed to, a compressed frame closes", async () => {
    const one = await openSocket()
    expect(one.socket.extensions).toBe("")
    one.socket.terminate()
    await closing((socket) => raw(socket, frame(0xc1, Buffer.alloc(100, 0))), 1002)
  })
  await row.assert("other clients unaffected", async () => {
    await web.rows("insert into change_feed (topic, host_id) values ('host', $1)", [host])
    await web.rows("select pg_notify('feed', '')")
    await expect.poll(() => bystander.heard.some(({ type }) => type === "host"), { timeout: 5000 }).toBe(true)
    expect(gone).toBe(false)
    bystander.socket.terminate()
  })
  await row.assert("a socket message cannot start a command: anything but a subscription closes it", async () => {
    for (const message of [
      { command: "reboot", host_id: host },
      { subscribe: { from_seq: null }, command: "reboot" },
      { _tag: "Request", id: "1", tag: "CreateJob", payload: {} }
    ]) {
      const one = await openSocket()
      one.socket.send(JSON.stringify(message))
      expect(await one.closed).toBe(1008)
    }
    expect(await web.rows("select 1 from patch_jobs")).toEqual([])
  })
})
