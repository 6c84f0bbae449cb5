/** Two web processes on one database behave as one, and a restart of anything keeps sessions. */
import { request as httpsRequest } from "node:https"
import { generateSync } from "otplib"
import { afterAll, beforeAll, expect, it } from "vitest"
import WebSocket from "ws"
import { createUser } from "#http/server/createUser.ts"
import { spawnWeb, type WebProcess } from "#test/harness/spawnWeb.ts"
import { makeWorld, type World } from "#test/harness/World.ts"

const password = "lilac thunder window 77"

let world: World
let one: WebProcess
let two: WebProcess
beforeAll(async () => {
  world = await makeWorld({ count: 1 })
  one = await spawnWeb(world)
  two = await spawnWeb(world, one)
  await world.run(createUser({ username: "olga", displayName: "Olga", role: "operator", password }))
}, 180_000)
afterAll(async () => {
  await one?.stop()
  await two?.stop()
  await world?.stop()
})

interface Answer {
  readonly status: number
  readonly cookie: string
  readonly body: { readonly access_token?: string; readonly [key: string]: unknown }
}

const ask = (
  web: WebProcess,
  method: string,
  path: string,
  {
    token,
    cookie,
    body
  }: { readonly token?: string | undefined; readonly cookie?: string; readonly body?: unknown } = {}
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const sent = httpsRequest(
      `${web.origin.replace("localhost", "127.0.0.1")}${path}`,
      {
        ca: web.caPem,
        servername: "localhost",
        agent: false,
        method,
        headers: {
          host: new URL(web.origin).host,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(cookie === undefined ? {} : { cookie }),
          ...(text === undefined ? {} : { "content-type": "application/json" })
        }
      },
      (response) => {
        let answer = ""
        response.setEncoding("utf8").on("data", (part: string) => (answer += part))
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            cookie: (response.headers["set-cookie"]?.[0] ?? "").split(";")[0] ?? "",
            body: (answer === "" ? {} : JSON.parse(answer)) as Answer["body"]
          })
        )
      }
    )
    sent.setTimeout(20_000, () => sent.destroy(new Error(`${method} ${path} was not answered`)))
    sent.on("error", reject)
    sent.end(text)
  })

const me = async (web: WebProcess, token: string | undefined) =>
  (await ask(web, "GET", "/api/v1/auth/me", { token })).status

const openSocket = async (web: WebProcess, token: string) => {
  const { body } = await ask(web, "POST", "/api/v1/ws/ticket", { token })
  const { port, host } = new URL(web.origin)
  const socket = new WebSocket(`wss://127.0.0.1:${port}/api/v1/ws/fleet?ticket=${String(body["ticket"])}`, {
    ca: web.caPem,
    headers: { host, origin: web.origin }
  })
  const closed = new Promise<number>((resolve) => socket.on("close", resolve))
  socket.on("error", () => undefined)
  await new Promise<void>((resolve, reject) => {
    socket.on("open", resolve)
    socket.on("unexpected-response", (_request, response) => reject(new Error(`refused: ${response.statusCode}`)))
  })
  socket.send(JSON.stringify({ subscribe: { from_seq: null } }))
  return { closed, close: () => socket.terminate() }
}

let secret = ""

it("takes up at one what was begun at the other: password, second factor, refresh and ticket", async () => {
  const login = await ask(one, "POST", "/api/v1/auth/login", { body: { username: "olga", password } })
  expect([login.status, login.body["status"]]).toEqual([200, "enrolment_required"])
  const begun = { token: login.body.access_token, cookie: login.cookie }
  const started = await ask(two, "POST", "/api/v1/auth/factors/totp", begun)
  secret = String(started.body["secret"])
  const code = { code: generateSync({ secret }) }
  const confirmed = await ask(one, "POST", "/api/v1/auth/factors/totp/confirm", { ...begun, body: code })
  expect(confirmed.status).toBe(200)
  const { access_token: token } = confirmed.body["signed_in"] as { access_token: string }
  expect([await me(one, token), await me(two, token)]).toEqual([200, 200])
  const refreshed = await ask(two, "POST", "/api/v1/auth/refresh", { cookie: confirmed.cookie })
  expect([refreshed.status, await me(one, refreshed.body.access_token)]).toEqual([200, 200])
})

it("gives one successor for the same refresh token at both", async () => {
  const { cookie } = await one.signInAs("olga")
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) => ask(n % 2 === 0 ? one : two, "POST", "/api/v1/auth/refresh", { cookie }))
  )
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  expect(new Set(answers.map((answer) => answer.cookie)).size).toBe(1)
})

it("ends everywhere what was ended at one: 401 at the other's next request, its sockets close", async () => {
  const { token, cookie } = await one.signInAs("olga")
  const socket = await openSocket(two, token)
  expect(await me(two, token)).toBe(200)
  expect((await ask(one, "POST", "/api/v1/auth/logout", { cookie })).status).toBe(204)
  const began = performance.now()
  expect(await me(two, token)).toBe(401)
  expect(await socket.closed).toBe(4401)
  expect(performance.now() - began).toBeLessThan(5000)
})

it("a new key made by one is known to the other at once", async () => {
  const old = await one.signInAs("olga")
  await world.query("update signing_keys set created_at = now() - interval '91 days' where ends_at is null")
  // Whoever looks first replaces it; neither of the two is restarted.
  const fresh = await two.signInAs("olga")
  expect([await me(one, fresh.token), await me(two, fresh.token)]).toEqual([200, 200])
  expect([await me(one, old.token), await me(two, old.token)]).toEqual([200, 200])
  expect(await world.query("select 1 from signing_keys where ends_at is null")).toHaveLength(1)
})

it("keeps sessions over a restart of the web process and of the worker", async () => {
  const { token, cookie } = await one.signInAs("olga")
  const gone = await one.signInAs("olga")
  const worker = await world.startWorker()
  const socket = await openSocket(one, token)
  await one.kill()
  expect(await socket.closed).toBeGreaterThan(1000)
  expect((await ask(two, "POST", "/api/v1/auth/logout", { cookie: gone.cookie })).status).toBe(204)
  await worker.stop()
  await one.restart()
  await world.startWorker()
  expect(await me(one, token)).toBe(200)
  expect(await me(one, gone.token)).toBe(401)
  const again = await openSocket(one, token)
  again.close()
  const refreshed = await ask(one, "POST", "/api/v1/auth/refresh", { cookie })
  expect([refreshed.status, refreshed.body["status"]]).toEqual([200, "signed_in"])
}, 120_000)
