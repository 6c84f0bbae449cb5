/** What the web process does when somebody asks for too much, at the limits that the table says. */
import type { IncomingMessage } from "node:http"
import { get } from "node:https"
import { performance } from "node:perf_hooks"
import { afterAll, beforeAll, expect } from "vitest"
import { limits, rateLimits } from "#core/Limits.ts"
import { makeRateLimit } from "#http/server/rateLimit.ts"
import { collectGarbage } from "#test/setup/collectGarbage.ts"
import { makeRateLimiter } from "#http/server/RateLimiter.ts"
import { type Answer, startTestWeb, type TestWeb } from "#test/http/TestWeb.ts"
import { securityRow } from "./securityRow.ts"

let web: TestWeb
let token: string
let other: string
let host: string
const [a, b, c] = ["admin", "other", "reader"]
beforeAll(async () => {
  web = await startTestWeb({ rates: rateLimits })
  for (const name of [a!, b!]) await web.addUser(name, "admin")
  await web.addUser(c!, "auditor")
  token = (await web.signIn(a!)).token
  other = (await web.signIn(b!)).token
  host = await web.addHost(token, { address: "127.0.0.1" })
})
afterAll(() => web.stop())

securityRow("S94", "expensive requests of one account stand in line", async (row) => {
  const body = { kind: "patch_apply", host_ids: [host], selection: { kind: "all" } }
  const plan = (of: string) => web.call("POST", "/api/v1/jobs/plan", { token: of, body })
  const places = limits.expensive_running + limits.expensive_waiting
  // Someone else holds the row that a plan reads, so that those under way stay under way.
  const blocked = async <A>(work: () => Promise<A>): Promise<A> => {
    await web.rows("begin")
    await web.rows("lock table hosts in access exclusive mode")
    try {
      return await work()
    } finally {
      await web.rows("rollback")
    }
  }
  await row.assert(
    "search, export, report in parallel by one user → per-user queue of 2, then 429 with Retry-After",
    async () => {
      let all: Array<Promise<Answer>> = []
      const refused: Array<Answer> = []
      await blocked(async () => {
        all = Array.from({ length: places + 3 }, () =>
          plan(token).then((answer) => {
            if (answer.status === 429) refused.push(answer)
            return answer
          })
        )
        const end = performance.now() + 10_000
        while (refused.length < 3 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 20))
        expect(refused.length).toBe(3)
        for (const answer of refused) {
          expect(answer.at("error.code")).toBe("too_many_requests")
          expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0)
        }
        // Somebody else's are not held up by that, nor anything cheap of the same account.
        expect((await web.call("GET", "/api/v1/settings", { token })).status).toBe(200)
      })
      const answers = await Promise.all(all)
      expect(answers.filter(({ status }) => status === 200).length).toBe(places)
      expect((await plan(token)).status).toBe(200)
      expect((await plan(other)).status).toBe(200)
    }
  )
  await row.assert(
    "an export keeps its place until its last byte is sent, or until nobody wants it any more",
    async () => {
      await web.rows(
        `select audit_append('machine', 'test', 'test', 'test', 'test', 'test', null,
        jsonb_build_object('text', repeat('x', 200000)), 'test', 'local') from generate_series(1, 100)`
      )
      const answers: Array<IncomingMessage> = []
      const asked = Array.from({ length: places + 3 }, () =>
        get(
          {
            host: "127.0.0.1",
            port: web.port,
            path: "/api/v1/audit/export",
            ca: web.ca,
            agent: false,
            servername: "localhost",
            headers: { host: "localhost", authorization: `Bearer ${token}` }
          },
          (answer) => void answers.push(answer.on("error", () => undefined))
        ).on("error", () => undefined)
      )
      row.after(() => asked.forEach((one) => one.destroy()))
      const statuses = () => answers.map(({ statusCode }) => statusCode).toSorted()
      const come = (running: number) =>
        expect
          .poll(statuses, { timeout: 10_000 })
          .toEqual([...Array.from({ length: running }, () => 200), 429, 429, 429])
      // Nobody reads what comes.
      await come(limits.expensive_running)
      answers.find(({ statusCode }) => statusCode === 200)?.destroy()
      await come(limits.expensive_running + 1)
      for (const answer of answers) answer.resume()
      await come(places)
      for (const answer of answers) answer.resume()
      // Then every place is free again.
      const plans = () => Promise.all(Array.from({ length: places }, () => plan(token)))
      const taken = async () => (await plans()).filter(({ status }) => status === 200).length
      await expect.poll(taken, { timeout: 10_000 }).toBe(places)
    }
  )
  await row.assert("of procedures over /rpc: PlanJob stands in the same line", async () => {
    const raw = `${JSON.stringify({ _tag: "Request", id: "1", tag: "PlanJob", payload: { job: body }, headers: [] })}\n`
    const call = () => web.call("POST", "/rpc", { token, raw, headers: { "content-type": "application/ndjson" } })
    let all: Array<Promise<Answer>> = []
    const refused: Array<Answer> = []
    await blocked(async () => {
      all = Array.from({ length: places + 3 }, () =>
        call().then((answer) => {
          if (answer.text.includes("too_many_requests")) refused.push(answer)
          return answer
        })
      )
      const end = performance.now() + 10_000
      while (refused.length < 3 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 20))
      expect(refused.map(({ text }) => /"retry_after_seconds":\d/.test(text))).toEqual([true, true, true])
      // One line for both ways in.
      expect((await plan(token)).status).toBe(429)
    })
    const answers = await Promise.all(all)
    expect(answers.filter(({ text }) => text.includes('"_tag":"Success"')).length).toBe(places)
  })
})

securityRow("S96", "rate limits forget, never ban", async (row) => {
  await row.assert(
    "never unlimited: each class of the table is refused beyond its burst, with Retry-After",
    async () => {
      const clock = { at: 0 }
      for (const [kind, { account, address }] of Object.entries(rateLimits)) {
        for (const rate of [address, ...(account === null ? [] : [account])]) {
          const take = makeRateLimit({ ...rate, now: () => clock.at })
          const waits = Array.from({ length: rate.burst + 1 }, () => take("192.0.2.1"))
          expect([kind, waits.slice(0, -1).every((wait) => wait === 0), (waits.at(-1) ?? 0) > 0]).toEqual([
            kind,
            true,
            true
          ])
        }
      }
    }
  )
  await row.assert("over HTTP: sign-in from one address is refused at its burst, and other work is not", async () => {
    const answers: Array<Answer> = []
    while (answers.at(-1)?.status !== 429 && answers.length < rateLimits.sign_in.address.burst + 30) {
      answers.push(await web.call("POST", "/api/v1/auth/mfa/totp", { body: {} }))
    }
    const last = answers.at(-1)
    expect([last?.status, last?.at("error.code")]).toEqual([429, "too_many_requests"])
    expect(Number(last?.headers["retry-after"])).toBeGreaterThan(0)
    expect((await web.call("GET", "/api/v1/hosts", { token })).status).toBe(200)
    // Written in another way it is the same address of the API.
    const odd = await web.call("POST", "/api/v1//auth/mfa/%74otp/", { body: {} })
    expect(odd.status).toBe(429)
  })
  await row.assert("never permanent ban: the wait ends when it said, however often was asked in between", () => {
    const clock = { at: 0 }
    const take = makeRateLimit({ ...rateLimits.sign_in.address, now: () => clock.at })
    for (let n = 0; n < 10_000; n++) take("192.0.2.1")
    const wait = take("192.0.2.1")
    expect(wait).toBeLessThanOrEqual(60)
    clock.at += wait * 1000
    expect(take("192.0.2.1")).toBe(0)
  })
  await row.assert("state lost or restarted half way → never permanent ban", () => {
    const before = makeRateLimiter(rateLimits)
    for (let n = 0; n < 1000; n++) before.ofAddress("sign_in", "192.0.2.1")
    expect(before.ofAddress("sign_in", "192.0.2.1")).toBeGreaterThan(0)
    expect(makeRateLimiter(rateLimits).ofAddress("sign_in", "192.0.2.1")).toBe(0)
  })
  await row.assert("memory is bounded: 100,000 addresses cost no more than those remembered", () => {
    const limiter = makeRateLimiter(rateLimits)
    const fill = (from: number): void => {
      for (let n = 0; n < 100_000; n++) limiter.ofAddress("read", `10.${from}.${(n >> 8) & 255}.${n & 255}-${n >> 16}`)
    }
    fill(1)
    collectGarbage()
    const before = process.memoryUsage().heapUsed
    for (let n = 2; n < 6; n++) fill(n)
    collectGarbage()
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(32 * 1024 * 1024)
  })
  row.missing("expiry set in the same statement", "limits live in the memory of the web process, not in a database")
})

securityRow("S79", "searching networks", async (row) => {
  await web.call("PATCH", "/api/v1/settings", {
    token,
    body: { discovery_networks: ["127.0.0.0/8", "2001:db8::/32"] },
    headers: { "if-match": (await web.call("GET", "/api/v1/settings", { token })).headers["etag"] as string }
  })
  const scan = (cidr: string, n = 0, as = token) =>
    web.call("POST", "/api/v1/discovery/cidr", {
      token: as,
      body: { cidr },
      headers: { "idempotency-key": `${cidr} ${n}` }
    })
  let scanId = ""
  await row.assert("CIDR scan `/0`, `/8`, IPv6 `/64` → limit 1,024 addresses per scan", async () => {
    for (const cidr of ["0.0.0.0/0", "::/0", "10.0.0.0/8", "127.0.0.0/8", "2001:db8::/64", "127.0.0.0/21"]) {
      expect([cidr, (await scan(cidr)).status]).toEqual([cidr, 422])
    }
    const made = await scan("127.77.0.0/30")
    expect(made.status).toBe(201)
    scanId = made.string("id")
  })
  await row.assert("overlapping, 100 at once → one at a time", async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => scan("127.77.0.0/30", n + 1)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([409]))
    await web.call("POST", `/api/v1/discovery/scans/${scanId}/cancel`, { token })
    const race = await Promise.all(Array.from({ length: 100 }, (_, n) => scan("127.77.0.0/30", n + 200)))
    expect(race.map(({ status }) => status).toSorted()).toEqual([201, ...Array.from({ length: 99 }, () => 409)])
  })
  await row.assert("audited", async () => {
    const rows = await web.rows("select 1 from audit_log where action = 'discovery.scan' and object_id = $1", [scanId])
    expect(rows.length).toBe(1)
  })
  await row.assert("four results for administrators, nobody else; no banner or timing", async () => {
    const reader = (await web.signIn(c!)).token
    expect((await scan("127.77.0.0/30", 500, reader)).status).toBe(403)
    const { text } = await web.call("GET", "/api/v1/discovery/scans", { token })
    expect(text).not.toMatch(/banner|millis|_ms|rtt/)
    const verdicts = ["agent", "agent_other_certificate", "other_service", "closed", "no_answer"]
    await web.rows(
      "insert into discovery_results (scan_id, address, verdict) select $1, '127.77.0.0'::inet + n, v from unnest($2::text[]) with ordinality as t (v, n)",
      [scanId, verdicts]
    )
    const results = async (as: string) => {
      const answer = await web.call("GET", `/api/v1/discovery/scans/${scanId}/results`, { token: as })
      return (answer.at("items") as ReadonlyArray<{ readonly verdict: string }>).toSorted(
        (one, other) => verdicts.indexOf(one.verdict) - verdicts.indexOf(other.verdict)
      )
    }
    expect((await results(token)).map(({ verdict }) => verdict)).toEqual(verdicts)
    const found = await results(reader)
    expect(found.map(({ verdict }) => verdict)).toEqual(["agent"])
    expect(Object.keys(found[0]!).toSorted()).toEqual(["address", "fqdn", "registered", "verdict"])
    const seen = await web.call("GET", `/api/v1/discovery/scans/${scanId}`, { token: reader })
    expect([seen.at("found"), seen.at("counts")]).toEqual([1, null])
  })
})

securityRow("S78", "addresses that the manager never calls", async (row) => {
  const strict = await startTestWeb({ standInFleet: false })
  row.after(() => strict.stop())
  await strict.addUser("admin", "admin")
  const admin = (await strict.signIn("admin")).token
  let n = 0
  const register = (body: object) =>
    strict.call("POST", "/api/v1/hosts", { token: admin, body, headers: { "idempotency-key": `s78-${++n}` } })
  const opened = await strict.call("PATCH", "/api/v1/settings", {
    token: admin,
    body: { discovery_networks: ["0.0.0.0/0", "::/0"] },
    headers: { "if-match": '"0"' }
  })
  expect(opened.status).toBe(200)
  const scan = (cidr: string, port?: number) =>
    strict.call("POST", "/api/v1/discovery/cidr", {
      token: admin,
      body: { cidr, ...(port === undefined ? {} : { port }) },
      headers: { "idempotency-key": `s78-${++n}` }
    })
  await row.assert(
    "loopback, `0.0.0.0`, 169.254.0.0/16, metadata names, IPv6 forms, decimal or hex IPv4 → refused by host registration",
    async () => {
      for (const address of [
        "127.0.0.1",
        "127.1.2.3",
        "::1",
        "0.0.0.0",
        "::",
        "169.254.169.254",
        "fe80::1",
        "100.100.100.200",
        "168.63.129.16",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "224.0.0.1",
        "255.255.255.255"
      ]) {
        expect([address, (await register({ address })).status]).toEqual([address, 422])
      }
      // The last two are names by their letters, and addresses to every resolver.
      for (const fqdn of ["localhost.localdomain", "metadata.google.internal", "0x7f.1", "0xa9.0xfe.0xa9.0xfe"]) {
        expect([fqdn, (await register({ fqdn })).status]).toEqual([fqdn, 422])
      }
    }
  )
  await row.assert("refused by the CIDR scan", async () => {
    for (const cidr of [
      "127.0.0.0/24",
      "169.254.169.0/24",
      "0.0.0.0/24",
      "::1/128",
      "fe80::/120",
      "224.0.0.0/24",
      "100.100.100.200/32",
      "168.63.129.16/32",
      "64:ff9b::7f00:0/120",
      "2002:7f00::/120",
      // Metadata services in the middle of what is scanned.
      "100.100.100.0/24",
      "168.63.128.0/22",
      "fd00:ec2::/118"
    ]) {
      expect([cidr, (await scan(cidr)).status]).toEqual([cidr, 422])
    }
    expect((await scan("198.51.100.0/30")).status).toBe(201)
  })
  await row.assert("only port 12443 for hosts, so no database port", async () => {
    for (const agent_port of [22, 443, 5432, 6379, 12442]) {
      expect([agent_port, (await register({ address: "198.51.100.7", agent_port })).status]).toEqual([agent_port, 422])
    }
    const made = await register({ address: "198.51.100.7" })
    expect(made.status).toBe(201)
    for (const change of [{ agent_port: 5432 }, { address: "169.254.169.254" }, { address: "127.0.0.1" }]) {
      const path = `/api/v1/hosts/${made.string("id")}`
      const answer = await strict.call("PATCH", path, { token: admin, body: change, headers: { "if-match": '"1"' } })
      expect([change, answer.status]).toEqual([change, 422])
    }
    expect((await scan("198.51.100.0/30", 5432)).status).toBe(422)
  })
  await row.assert("admin-set networks only, where there are any", async () => {
    const etag = (await strict.call("GET", "/api/v1/network", { token: admin })).headers["etag"] as string
    const changed = await strict.call("PATCH", "/api/v1/network", {
      token: admin,
      body: { agent_networks: ["203.0.113.0/24"] },
      headers: { "if-match": etag }
    })
    expect(changed.status).toBe(200)
    const waits = performance.now() + 3000
    while ((await register({ address: "198.51.100.8" })).status !== 422 && performance.now() < waits) {
      await strict.rows("update hosts set removed_at = now() where address = '198.51.100.8'")
    }
    expect((await register({ address: "198.51.100.9" })).status).toBe(422)
    expect((await register({ address: "203.0.113.9" })).status).toBe(201)
  })
  row.missing(
    "DNS answer changing between check and use",
    "names are resolved once, at registration; what is stored and called is the address (test/actors/agent/failures.test.ts)"
  )
  row.missing("SMTP host, webhook, proxy setting", "the manager has none of them")
  row.missing("own addresses", "the manager's own machine may be one of its hosts, at the agents' port alone")
})
