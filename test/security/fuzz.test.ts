/** Hundreds of thousands of requests and of agents' answers that nobody would write. FUZZ sets how many, SEED which. */
import { connect } from "node:tls"
import { Pool } from "undici"
import { afterAll, beforeAll, expect } from "vitest"
import { collectGarbage } from "#test/setup/collectGarbage.ts"
import { decodeHealth } from "#actors/agent/decode/health.ts"
import { decodeAccepted, decodeJob, decodeJobEvent, decodeJobs } from "#actors/agent/decode/jobs.ts"
import { parseJson } from "#actors/agent/decode/json.ts"
import { decodeOnePackage, decodePackages } from "#actors/agent/decode/packages.ts"
import { decodePatches } from "#actors/agent/decode/patches.ts"
import { decodeService } from "#actors/agent/decode/services.ts"
import { decodeSystemInfo } from "#actors/agent/decode/systemInfo.ts"
import { fuzzRequest, operations, seeded, type Seeded } from "./fuzzRequests.ts"
import { startFuzzWeb } from "./fuzzWeb.ts"
import { securityRow } from "./securityRow.ts"

const total = Number(process.env["FUZZ"] ?? 200_000)
const seed = Number(process.env["SEED"] ?? 20_260)
const AT_ONCE = 32
const REPAIR_EVERY = 1000

let web: Awaited<ReturnType<typeof startFuzzWeb>>
beforeAll(async () => {
  web = await startFuzzWeb()
  await web.addUser("admin", "admin")
  await web.addUser("operator", "operator")
  await web.addUser("auditor", "auditor")
})
afterAll(() => web.stop())

/** What the requests may have done to the accounts that send them, and to who may connect, is undone. */
const repair = async (): Promise<{ tokens: ReadonlyArray<string>; ids: ReadonlyArray<string> }> => {
  await web.rows(`update users set deleted_at = null, disabled_at = null, must_change_password = false,
    role = case username when 'admin' then 'admin' when 'operator' then 'operator' else 'auditor' end
    where username in ('admin', 'operator', 'auditor')`)
  await web.rows(`update network_access set version = version + 1, previous = null, confirm_by = null, policy =
    '{"allowed_networks": [], "trusted_proxies": [], "agent_networks": [], "confirm_seconds": 120}'`)
  const people = await Promise.all(["admin", "admin", "admin", "operator", "auditor"].map(web.tokenOf))
  const known = await web.rows<{ id: string }>(`select id from hosts union all select id from groups
    union all select id from patch_jobs union all select id from users limit 200`)
  return {
    tokens: [...people, "", "lpm_x_y", "a.b.c"],
    ids: [...known.map(({ id }) => id), "01a200e4-e652-72f9-b45c-117b1e318cc9"]
  }
}

const noise = (random: Seeded): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port: web.port, servername: "localhost", ca: web.ca }, () => {
      const bytes = Buffer.from(Array.from({ length: 1 + random.below(400) }, () => random.below(256)))
      socket.end(random.chance(0.5) ? Buffer.concat([Buffer.from("POST /api/v1/hosts HTTP/1.1\r\n"), bytes]) : bytes)
    })
    socket.on("data", () => undefined)
    socket.on("error", () => resolve())
    socket.on("close", () => resolve())
    socket.setTimeout(15_000, () => socket.destroy())
  })

securityRow(
  "S95",
  `${total} API requests from seed ${seed}`,
  async (row) => {
    const pool = new Pool(`https://127.0.0.1:${web.port}`, {
      connections: AT_ONCE,
      pipelining: 1,
      connect: { ca: web.ca, servername: "localhost" }
    })
    row.after(() => pool.destroy())
    const random = seeded(seed)
    const statuses = new Map<number, number>()
    const faults: Array<string> = []
    let { ids, tokens } = await repair()
    let sent = 0
    let lost = 0

    const one = async (): Promise<void> => {
      const { body, headers, method, path } = fuzzRequest(random, tokens, ids)
      try {
        const answer = await pool.request({
          method: method as "GET",
          path,
          headers: { ...headers, host: `localhost:${web.port}` },
          body,
          headersTimeout: 30_000,
          bodyTimeout: 30_000
        })
        const text = await answer.body.text()
        const { statusCode: status } = answer
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        const isHealth = path.startsWith("/status/health")
        const isEnvelope = /^\{"error":\{"code":"[a-z0-9_]+",.*"request_id":"[0-9A-Z]{26}"/.test(text)
        if (status >= 500 && !isHealth)
          faults.push(`${status} ${method} ${path.slice(0, 200)} ${String(body).slice(0, 600)} → ${text.slice(0, 200)}`)
        else if (status >= 400 && method !== "HEAD" && !isHealth && !isEnvelope) {
          faults.push(`no envelope: ${status} ${method} ${path.slice(0, 200)} → ${text.slice(0, 200)}`)
        }
      } catch {
        lost += 1
      }
    }
    const run = async (count: number): Promise<void> => {
      let left = count
      const lane = async (): Promise<void> => {
        while (left > 0) {
          left -= 1
          sent += 1
          if (sent % 500 === 0) await noise(random)
          else await one()
        }
      }
      while (left > 0) {
        const rest = left
        left = Math.min(rest, REPAIR_EVERY)
        const taken = left
        await Promise.all(Array.from({ length: AT_ONCE }, lane))
        left = rest - taken
        ;({ ids, tokens } = await repair())
        if (!web.isAlive()) throw new Error(`The web process ended. ${web.log.slice(-3).join("")}`)
      }
    }

    const warm = Math.floor(total / 3)
    const began = performance.now()
    await run(warm)
    const before = await web.heapBytes()
    await run(total - warm)
    const after = await web.heapBytes()
    const seconds = (performance.now() - began) / 1000
    const said = [...statuses].toSorted(([one_], [other]) => one_ - other).map(([status, n]) => `${status}: ${n}`)
    process.stdout.write(
      `${sent} requests over ${operations.length} operations in ${seconds.toFixed(0)} s, ${lost} without an answer, heap ${(before / 1e6).toFixed(1)} → ${(after / 1e6).toFixed(1)} MB; ${said.join(", ")}\n`
    )
    await row.assert(
      "1,000,000 fuzzed API bodies (schema-aware and random) → 0 undeclared 5xx, every error an envelope",
      () => {
        expect(faults.slice(0, 10)).toEqual([])
      }
    )
    await row.assert("0 crashes", async () => {
      expect(web.isAlive()).toBe(true)
      expect(lost).toBeLessThan(total / 100)
      expect((statuses.get(200) ?? 0) + (statuses.get(201) ?? 0)).toBeGreaterThan(total / 50)
    })
    await row.assert("memory growth under 5%", () => expect(after / before).toBeLessThan(1.05))
    if (total < 1_000_000) row.missing("1,000,000 API bodies", `${total} by default; FUZZ=1000000 sends them all`)
  },
  1_200_000
)

const words = [
  "success",
  "data",
  "error",
  "packages",
  "patches",
  "jobs",
  "job",
  "job_id",
  "id",
  "status",
  "name",
  "version",
  "current_version",
  "available_version",
  "severity",
  "uptime_seconds",
  "requires_reboot",
  "available_versions",
  "os",
  "kernel",
  "progress",
  "logs",
  "events",
  "message",
  "code",
  "details",
  "__proto__",
  "constructor",
  "toString"
]
const texts = [
  "running",
  "completed",
  "FAILED",
  "timed_out",
  "",
  "1.2.3-4",
  "\ud800",
  "\u0000",
  "a".repeat(400),
  "2026-01-01T00:00:00Z",
  "critical",
  "nginx",
  "installed",
  "1e999"
]

const answerOf = (random: Seeded, depth: number): unknown => {
  const kind = random.below(depth > 5 ? 5 : 8)
  if (kind === 0) return random.pick(texts)
  if (kind === 1) return random.pick([0, 1, -1, 1e308, 0.5, 2 ** 60])
  if (kind === 2) return random.chance(0.5)
  if (kind === 3) return null
  if (kind === 4) return random.pick(texts)
  if (kind === 5) return Array.from({ length: random.below(5) }, () => answerOf(random, depth + 1))
  return Object.fromEntries(
    Array.from({ length: random.below(9) }, () => [random.pick(words), answerOf(random, depth + 1)])
  )
}

securityRow(
  "S95",
  `${total} agents' answers from seed ${seed}`,
  async (row) => {
    const random = seeded(seed + 1)
    const decoders = [
      decodeHealth,
      decodeAccepted,
      decodeJob,
      decodeJobs,
      decodeJobEvent,
      decodePackages,
      decodeOnePackage,
      decodePatches,
      decodeService,
      decodeSystemInfo
    ]
    const faults: Array<string> = []
    let read = 0
    const feed = (count: number): void => {
      for (let n = 0; n < count; n++) {
        let text =
          JSON.stringify(random.chance(0.7) ? { success: true, data: answerOf(random, 0) } : answerOf(random, 0)) ?? ""
        if (random.chance(0.1)) text = text.slice(0, random.below(text.length + 1))
        if (random.chance(0.05))
          text = Buffer.from(Array.from({ length: 40 }, () => random.below(256))).toString("latin1")
        for (const decode of decoders) {
          try {
            const decoded = decode(parseJson(text))
            if (decoded === undefined) continue
            read += 1
            // What is handed on is what PostgreSQL can store.
            if (JSON.stringify(decoded)?.includes("\\u0000") || JSON.stringify(decoded)?.includes("\\ud8"))
              faults.push(`kept: ${text.slice(0, 300)}`)
          } catch (error) {
            faults.push(`${String(error)}: ${text.slice(0, 300)}`)
          }
        }
      }
    }
    feed(20_000)
    collectGarbage()
    const before = process.memoryUsage().heapUsed
    feed(total)
    collectGarbage()
    const grown = process.memoryUsage().heapUsed / before
    await row.assert("1,000,000 fuzzed agent replies → 0 crashes", () => {
      expect(faults.slice(0, 5)).toEqual([])
      expect(read).toBeGreaterThan(total / 10)
    })
    await row.assert("memory growth under 5% while reading them", () => expect(grown).toBeLessThan(1.05))
    if (total < 1_000_000) row.missing("1,000,000 agent replies", `${total} by default; FUZZ=1000000 reads them all`)
  },
  600_000
)
