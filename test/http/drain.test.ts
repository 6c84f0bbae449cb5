import { expect, it } from "vitest"
import WebSocket from "ws"
import { password, startTestWeb } from "./TestWeb.ts"

it("finishes what is in flight, sends browsers away at once, and is gone within seconds", async () => {
  const web = await startTestWeb()
  await web.addUser("admin", "admin")
  const { token } = await web.signIn("admin")
  const ticket = (await web.call("POST", "/api/v1/ws/ticket", { token })).string("ticket")
  const socket = new WebSocket(`wss://127.0.0.1:${web.port}/api/v1/ws/fleet?ticket=${ticket}`, {
    ca: web.ca,
    headers: { host: `localhost:${web.port}`, origin: `https://localhost:${web.port}` }
  })
  await new Promise((resolve) => socket.once("open", resolve))
  const closed = new Promise((resolve) => socket.once("close", resolve))
  const inFlight = web.call("POST", "/api/v1/auth/login", { body: { username: "admin", password } })
  await expect.poll(async () => (await web.call("GET", "/api/v1/auth/me", { token })).status).toBe(200)
  const start = performance.now()
  await web.stop()
  expect(performance.now() - start).toBeLessThan(8000)
  expect(await closed).toBe(1012)
  expect((await inFlight).status).toBe(200)
  await expect(web.call("GET", "/status/health")).rejects.toThrow(/ECONNREFUSED/)
})
