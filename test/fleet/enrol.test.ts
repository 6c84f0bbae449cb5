import https from "node:https"
import type { AddressInfo } from "node:net"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { enrol, type EnrolOptions, machineOf, type Machine } from "./enrol.ts"
import { fixtureJson, fixtureText } from "./fixtures.ts"
import { makeTestFleet, type TestFleet } from "./makeTestFleet.ts"
import { TestCa } from "./testCa.ts"

/** A manager made of prepared answers, in order; the last one stays. */
let server: https.Server
let port: number
let answers: Array<readonly [status: number, text: string]>
let heard: Array<{ readonly line: string; readonly body: string }>
beforeAll(async () => {
  const identity = await (await TestCa.make()).host({ address: "127.0.0.1", fqdn: "manager.example.test" })
  server = https.createServer(
    { key: identity.private_key_pem, cert: identity.certificate_pem },
    (request, response) => {
      let body = ""
      request.on("data", (chunk: Buffer) => (body += chunk.toString()))
      request.on("end", () => {
        heard.push({ line: `${request.method} ${request.url}`, body })
        const [status, text] = (answers.length > 1 ? answers.shift() : answers[0]) ?? [500, ""]
        response.writeHead(status, { "content-type": "application/json" }).end(text)
      })
    }
  )
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(() => void server.close())
beforeEach(() => {
  heard = []
})

const machine = fixtureJson("enroll-request.json") as Machine
const run = (prepared: typeof answers, more: Partial<EnrolOptions> = {}) => {
  answers = prepared
  return enrol({ managerUrl: `https://127.0.0.1:${port}`, intervalMs: 5, attempts: 20, ...more }, machine)
}
const accepted = [202, fixtureText("enroll-accepted.json")] as const
const pending = [200, fixtureText("enroll-status-pending.json")] as const
const approved = [200, fixtureText("enroll-status-approved.json")] as const

describe("an agent that enrols itself", () => {
  it("sends what agents send, polls while pending, and takes the bundle", async () => {
    const stored: Array<string> = []
    const end = await run([accepted, pending, pending, approved], { store: (token) => stored.push(token) })
    expect(end.end).toBe("approved")
    expect(heard.map(({ line }) => line.replace(/[A-Za-z0-9]{64}/, "TOKEN"))).toEqual([
      "POST /api/v1/enroll",
      ...Array.from({ length: 3 }, () => "GET /api/v1/enroll/status/TOKEN")
    ])
    expect(heard[0]?.body).toBe(fixtureText("enroll-request.json").trim())
    expect(stored).toEqual([(fixtureJson("enroll-accepted.json") as { polling_token: string }).polling_token])
  })

  it.each([["denied"], ["notfound"]] as const)("stops at %s", async (word) => {
    expect(await run([accepted, [200, fixtureText(`enroll-status-${word}.json`)]])).toEqual({ end: word })
  })

  it.each([
    [202, '{"status":"pending"}'],
    [403, '{"status":"denied"}'],
    [404, '{"status":"notfound"}'],
    [429, "Rate limit exceeded"],
    [503, ""],
    [200, '{"status":"not_found"}'],
    [200, '{"status":"approved","ca_crt":"x"}'],
    [200, "<html>"]
  ] as const)("takes %i %s for a passing trouble and polls on", async (status, text) => {
    expect((await run([accepted, [status, text], [status, text], approved])).end).toBe("approved")
    expect(await run([accepted, [status, text]])).toEqual({ end: "gave_up" })
  })

  it("accepts nothing but 202, and goes on with its old token at 409", async () => {
    expect(await run([[200, fixtureText("enroll-accepted.json")]])).toMatchObject({ end: "refused", status: 200 })
    expect(await run([[429, "slow"]])).toEqual({ end: "refused", status: 429, words: "slow" })
    expect(await run([[409, "{}"]])).toMatchObject({ end: "refused", status: 409 })
    expect((await run([[409, "{}"], approved], { storedToken: "old" })).end).toBe("approved")
    expect(heard.at(-1)?.line).toBe("GET /api/v1/enroll/status/old")
  })
})

describe("a stand-in", () => {
  let test: TestFleet
  beforeAll(async () => {
    test = await makeTestFleet({
      hosts: [
        { address: "127.62.0.1", profile: "1.0" },
        { address: "127.62.0.2", profile: "1.2" },
        { address: "127.62.0.3", profile: "2.7" }
      ]
    })
  })
  afterAll(() => test.stop())

  it("says of itself what its generation says", () => {
    const [first, second, third] = test.fleet.hosts()
    expect(() => machineOf(first!)).toThrow("cannot enrol")
    const old = machineOf(second!)
    const young = machineOf(third!)
    expect(Object.keys(young)).toEqual(Object.keys(machine))
    expect(old.machine_id).toMatch(/^[0-9a-f]{32}$/)
    expect(Object.keys(old.os_details)).not.toContain("name")
    expect(Object.keys(young.os_details)).toContain("name")
    expect(young.ip_address).toBe("127.62.0.3")
  })
})
