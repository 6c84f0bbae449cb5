import https from "node:https"
import { afterEach, describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import { fixtureJson } from "./fixtures.ts"
import type { TestFleet } from "./makeTestFleet.ts"
import { makeTestFleet, until } from "./makeTestFleet.ts"
import type { ProfileName } from "./Profile.ts"
import { fitsShape, shapeOf } from "./shapeOf.ts"

const address = "127.78.4.1"
let test: TestFleet
let socket: WebSocket | undefined

afterEach(async () => {
  socket?.terminate()
  await test.stop()
})

interface Message {
  readonly event: string
  readonly status: string
  readonly job_id: string
}

const open = (options: { readonly autoPong?: boolean } = {}) => {
  const messages: Array<Message> = []
  const opened = new WebSocket(`wss://${address}:${test.fleet.port}/api/v1/ws/jobs`, {
    ca: test.ca.certificatePem,
    cert: test.client.certificate_pem,
    key: test.client.private_key_pem,
    ...options
  })
  socket = opened
  opened.on("message", (data) => messages.push(JSON.parse(data.toString())))
  return { messages, opened }
}

const start = async (profile: ProfileName, pingMs = 5_000) => {
  test = await makeTestFleet({
    rateLimit: false,
    timing: { pingMs },
    hosts: [{ address, profile, distro: "ubuntu-24.04" }]
  })
  test.fleet.publish(address, "bash")
}

const apply = () => test.call(address, "/api/v1/patches/apply", { body: { packages: ["bash"] } })

const expectShape = (message: Message | undefined, file: string) => {
  const [actual, expected] = [shapeOf(message), shapeOf(fixtureJson(file))]
  expect(fitsShape(actual, expected), `${JSON.stringify(actual)} against ${file}`).toBe(true)
}

describe("the job WebSocket", () => {
  it("sends every job's events from the start, in the fixtures' shapes", async () => {
    await start("2.5.5")
    const { messages, opened } = open()
    await until(
      () => messages,
      (list) => list.length === 1
    )
    expectShape(messages[0], "ws-connected.json")
    opened.send(JSON.stringify({ action: "unsubscribe", job_id: "6ba7b810-9dad-11d1-80b4-00c04fd430c8" }))
    opened.send(JSON.stringify({ action: "subscribe" }))
    opened.send(JSON.stringify({ type: "ping" }))
    await until(
      () => messages,
      (list) => list.length === 4
    )
    expect(messages.map((one) => one.event)).toEqual(["connected", "unsubscribed", "subscribed", "error"])
    expectShape(messages[3], "ws-error.json")
    await apply()
    await until(
      () => messages.at(-1),
      (last) => last?.status === "completed"
    )
    expect(messages.slice(4).map((one) => one.status)).toEqual(["pending", "running", "completed"])
    expectShape(messages.at(-1), "ws-job-completed.json")
  })

  it("gives the error and the spelling of the WebSocket", async () => {
    await start("2.5.5")
    const { messages } = open()
    await until(
      () => messages,
      (list) => list.length === 1
    )
    test.fleet.misbehave(address, { kind: "fail_job", times: 1 })
    await apply()
    await until(
      () => messages.at(-1),
      (last) => last?.status === "failed"
    )
    expectShape(messages.at(-1), "ws-job-failed.json")
    test.fleet.misbehave(address, { kind: "fail_job", status: "timedout", times: 1 })
    await apply()
    await until(
      () => messages.at(-1),
      (last) => last?.status === "timed_out"
    )
  })

  it("drops a client that answers no pings", async () => {
    await start("2.7", 40)
    const { opened } = open({ autoPong: false })
    await new Promise((resolve) => opened.on("close", resolve))
    expect(test.fleet.view(address).up).toBe(true)
  })

  it("ends when the host reboots", async () => {
    await start("2.7")
    const { messages, opened } = open()
    const closed = new Promise((resolve) => opened.on("close", resolve))
    await until(
      () => messages,
      (list) => list.length === 1
    )
    test.fleet.reboot(address)
    await closed
  })

  it("is a stub in 1.0: 101 with JSON and without a handshake", async () => {
    await start("1.0")
    const { opened } = open()
    const error = await new Promise<Error>((resolve) => opened.on("error", resolve))
    expect(error.message).toContain("Sec-WebSocket-Accept")
    const raw = await new Promise<{ headers: Readonly<Record<string, unknown>>; head: string }>((resolve, reject) => {
      https
        .get({
          host: address,
          port: test.fleet.port,
          path: "/api/v1/ws/jobs",
          agent: false,
          ca: test.ca.certificatePem,
          cert: test.client.certificate_pem,
          key: test.client.private_key_pem,
          headers: { connection: "upgrade", upgrade: "websocket" }
        })
        .on("upgrade", (response, stream, head) => {
          stream.destroy()
          resolve({ headers: response.headers, head: head.toString() })
        })
        .on("error", reject)
    })
    expect(raw.headers["sec-websocket-accept"]).toBeUndefined()
    expect(fitsShape(shapeOf(JSON.parse(raw.head)), shapeOf(fixtureJson("ws-stub-1.0.txt")))).toBe(true)
  })
})
