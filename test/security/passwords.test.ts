/** Passwords: which are taken, what a guess costs, and what a guesser learns. */
import { createHash } from "node:crypto"
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { afterAll, beforeAll, expect } from "vitest"
import { secretFile } from "#test/setup/secretFile.ts"
import { loadConfig } from "#deploy/Config.ts"
import { firstRun } from "#deploy/firstRun.ts"
import { commonPasswords } from "#http/server/commonPasswords.ts"
import { leastCost } from "#http/server/passwordCost.ts"
import { type Answer, password, startTestWeb, type TestWeb } from "#test/http/TestWeb.ts"
import { makeTestDatabase } from "#test/setup/Database.ts"
import { roleUrls } from "#test/setup/roleUrls.ts"
import { testClient } from "#test/setup/testClient.ts"
import { callFrom } from "#test/http/callFrom.ts"
import { securityRow } from "./securityRow.ts"

let web: TestWeb
beforeAll(async () => {
  web = await startTestWeb()
  for (const name of ["admin", "olga", "disabled", "external", "locked"]) await web.addUser(name, "operator")
  await web.rows("update users set disabled_at = now() where username = 'disabled'")
  await web.rows("update users set password_hash = null, origin = 'sso' where username = 'external'")
})
afterAll(() => web.stop())

const LOGIN = "/api/v1/auth/login"
const login = (username: string, given: string, headers: Record<string, string> = {}) =>
  web.call("POST", LOGIN, { body: { username, password: given }, headers })
const quiet = () => web.rows("delete from sign_in_failures")
const pci = (on: boolean) =>
  web.rows(
    "insert into system_config (key, value) values ('pci_profile', $1) on conflict (key) do update set value = excluded.value",
    [String(on)]
  )
/** The waits between tries are over; the counts stay. */
const waited = () =>
  web.rows("update sign_in_failures set blocked_until = now() where blocked_until < now() + interval '16 minutes'")
const median = (numbers: ReadonlyArray<number>): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0

securityRow("S01", "Accounts after an installation", async (row) => {
  const installation = async () => {
    const database = await makeTestDatabase()
    const folder = mkdtempSync(join(tmpdir(), "pm-s01-"))
    row.after(async () => {
      rmSync(folder, { recursive: true, force: true })
      await database.drop()
    })
    const client = testClient(database.url)
    await client.connect()
    const users = async () =>
      (await client.query("select username, must_change_password, password_hash from users")).rows
    const before = await users()
    const config = loadConfig(
      {
        data_dir: folder,
        "database.url": database.url,
        "database.web_url": secretFile(join(folder, "secrets", "web-url"), roleUrls(database.url).web),
        "fleet.hosts": "0"
      },
      {}
    )
    await firstRun(config)
    const after = await users()
    await firstRun(config)
    const again = await users()
    await client.end()
    return { before, after, again, file: join(folder, "initial-admin-password") }
  }
  const one = await installation()
  const two = await installation()
  await row.assert("default or seeded account exists after install: none", () => expect(one.before).toEqual([]))
  await row.assert("the first start makes one administrator, whose password has to be changed", () => {
    expect(one.after).toMatchObject([{ username: "admin", must_change_password: true }])
    expect(one.again).toEqual(one.after)
  })
  await row.assert(
    "a password file only with npm start, readable by its user alone, another in each installation",
    () => {
      expect(statSync(one.file).mode & 0o777).toBe(0o600)
      expect(readFileSync(one.file, "utf8")).toMatch(/^[a-zA-Z2-9]{6}(-[a-zA-Z2-9]{6}){3}\n$/)
      expect(readFileSync(one.file, "utf8")).not.toBe(readFileSync(two.file, "utf8"))
    }
  )
})

securityRow(
  "S02",
  "Account discovery by text or time",
  async (row) => {
    const kinds = ["no-such-name", "admin", "disabled", "external"] as const
    const shown = ({ status, text, headers }: Answer) => ({
      status,
      text: text.replaceAll(/"request_id":"[^"]*"/g, "").replaceAll(/\d+ s|"retry_after_seconds":\d+/g, ""),
      headers: Object.keys(headers).toSorted()
    })
    await row.assert(
      "unknown name, wrong password, disabled, SSO-only: identical status sequences and bodies",
      async () => {
        const sequences = []
        for (const kind of kinds) {
          await quiet()
          const sequence = []
          for (let round = 0; round < 12; round++) sequence.push(shown(await login(kind, `wrong ${round}`)))
          sequences.push(sequence)
        }
        expect(sequences[0]!.map(({ status }) => status)).toEqual([
          401,
          401,
          401,
          401,
          401,
          ...Array.from({ length: 7 }, () => 429)
        ])
        for (const sequence of sequences.slice(1)) expect(sequence).toEqual(sequences[0])
      }
    )
    await row.assert("locked: the same as a name nobody has, with the right password too", async () => {
      await quiet()
      for (const name of ["locked", "nobody-here"]) for (let round = 0; round < 5; round++) await login(name, "wrong")
      expect(shown(await login("locked", password))).toEqual(shown(await login("nobody-here", password)))
    })
    await row.assert(
      "median times of 200 tries each within 5 ms or under the noise floor (dummy hash for unknown names)",
      async () => {
        const times = new Map<string, Array<number>>()
        // A second unknown name shows how far apart two of the same kind are on this machine.
        const names = [...kinds, "no-such-other"]
        for (let round = 0; round < 200; round++) {
          if (round % 3 === 0) await quiet()
          for (const name of names.toSorted(() => (round % 2) - 0.5)) {
            const began = performance.now()
            await login(name, "wrong")
            times.set(name, [...(times.get(name) ?? []), performance.now() - began])
          }
        }
        const [unknown = 0, ...others] = kinds.map((kind) => median(times.get(kind) ?? []))
        const noise = Math.abs(unknown - median(times.get("no-such-other") ?? []))
        for (const other of others) expect(Math.abs(other - unknown)).toBeLessThan(Math.max(5, 2 * noise))
      }
    )
  },
  300_000
)

securityRow("S03", "Guessing one account's password", async (row) => {
  const other = await startTestWeb({}, undefined, web)
  row.after(() => other.stop())
  await pci(true)
  row.after(() => pci(false))
  await quiet()
  await web.addUser("victor", "operator")
  const at = (one: TestWeb, given: string) => one.call("POST", LOGIN, { body: { username: "victor", password: given } })
  for (let round = 0; round < 10; round++) {
    expect((await at(round % 2 === 0 ? web : other, "wrong")).status).toBe(401)
    await waited()
  }
  await row.assert("11 wrong passwords: locked for 30 minutes at least (PCI profile)", async () => {
    const eleventh = await at(web, "wrong")
    expect(eleventh.status).toBe(429)
    expect(Number(eleventh.headers["retry-after"])).toBeGreaterThan(29 * 60)
  })
  await row.assert("the right password in the lock still fails", async () => {
    expect((await at(web, password)).status).toBe(429)
  })
  await row.assert("counter holds across two web processes", async () => {
    expect((await at(other, password)).status).toBe(429)
  })
  await row.assert("and survives a restart", async () => {
    const third = await startTestWeb({}, undefined, web)
    expect((await at(third, password)).status).toBe(429)
    await third.stop()
  })
  await row.assert("an alarm tells which account it is", async () => {
    const alarms = await web.rows<{ message: string }>(
      "select message from alarms where kind = 'sign_in_failures' and cleared_at is null"
    )
    expect(alarms).toEqual([{ message: expect.stringMatching(/^Signing in as victor .* after 10 failed tries/) }])
  })
  await row.assert(
    "without the profile a try waits 15 minutes at most, and the alarm is over when somebody is in",
    async () => {
      await pci(false)
      await web.rows("update sign_in_failures set blocked_until = now()")
      expect((await at(web, "wrong")).status).toBe(401)
      expect(Number((await at(web, "wrong")).headers["retry-after"])).toBeLessThanOrEqual(15 * 60)
      await web.rows("update sign_in_failures set blocked_until = now()")
      expect((await at(web, password)).status).toBe(200)
      expect(await web.rows("select 1 from alarms where kind = 'sign_in_failures' and cleared_at is null")).toEqual([])
    }
  )
})

securityRow("S04", "Spellings of a name", async (row) => {
  const spellings = ["Admin", "ADMIN", " admin", "ａｄｍｉｎ", "a\u0301dmi\u0308n"]
  await row.assert("Admin, ADMIN, ' admin', full-width letters, combining marks: one counter", async () => {
    await quiet()
    const statuses = []
    for (const name of spellings) statuses.push((await login(name, "wrong")).status)
    expect(statuses).toEqual([401, 401, 401, 401, 401])
    for (const name of ["admin", ...spellings]) expect((await login(name, password)).status).toBe(429)
    // The other row is the address'.
    expect(await web.rows("select 1 from sign_in_failures where failures > 0")).toHaveLength(2)
  })
  await row.assert("one account", async () => {
    await quiet()
    for (const name of spellings) expect((await login(name, password)).at("status")).toBe("enrolment_required")
  })
})

securityRow("S05", "One password against many names, one name from many addresses", async (row) => {
  const from = (address: string, name: string) =>
    callFrom(web, address, "POST", LOGIN, { body: { username: name, password: "wrong" } })
  /** How many of 1,000 tries were looked at, ten at a time: so many fit into the line before the hashing on any machine. */
  const looked = async (one: (n: number) => ReturnType<typeof from>) => {
    await quiet()
    let count = 0
    for (let first = 0; first < 1000; first += 10) {
      const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => one(first + n)))
      count += answers.filter((answer) => answer?.status !== 429).length
    }
    return count
  }
  await row.assert("one password against 1,000 names from one address: throttled", async () => {
    expect(await looked((n) => from("127.0.9.1", `name${n}`))).toBe(20)
  })
  await row.assert("one name from 1,000 addresses: throttled", async () => {
    expect(await looked((n) => from(`127.0.${10 + (n >> 8)}.${n & 255 || 255}`, "olga"))).toBe(5)
  })
  await row.assert("stored keys are fixed-length hashes", async () => {
    await login("x".repeat(64), "wrong")
    const [found] = await web.rows<{ lengths: ReadonlyArray<number> }>(
      "select array_agg(distinct octet_length(key_hash)) as lengths from sign_in_failures"
    )
    expect(found?.lengths).toEqual([32])
  })
  await row.assert("table growth bounded", async () => {
    await web.rows(`insert into sign_in_failures (key_hash, kind, failures, last_failed_at)
      select sha256(n::text::bytea), 'address', 1, now() - make_interval(secs => n / 100.0) from generate_series(1, 100500) n on conflict do nothing`)
    await web.rows(
      "insert into sign_in_failures (key_hash, kind, failures, last_failed_at) values (sha256('old'), 'address', 1, now() - interval '25 hours')"
    )
    const name = Array.from({ length: 1000 }, (_, n) => `fill${n}`).find(
      (one) => createHash("sha256").update(`account\0${one}`).digest()[0]! % 64 === 0
    )
    await from("127.0.9.2", name ?? "")
    const [found] = await web.rows<{ n: number; old: number }>(
      "select count(*)::int as n, (count(*) filter (where last_failed_at < now() - interval '24 hours'))::int as old from sign_in_failures"
    )
    expect(found?.n).toBeLessThanOrEqual(100_001)
    expect(found?.old).toBe(0)
  })
})

securityRow("S06", "A forged forwarding header", async (row) => {
  await row.assert("X-Forwarded-For changed at each try: no new allowance", async () => {
    await quiet()
    let looked = 0
    for (let n = 0; n < 40; n++) {
      const headers = { "x-forwarded-for": `198.51.100.${n}`, forwarded: `for=198.51.100.${n}` }
      if ((await login(`forged${n}`, "wrong", headers)).status === 401) looked++
    }
    expect(looked).toBe(20)
    await quiet()
  })
})

securityRow("S07", "Which passwords are taken", async (row) => {
  await web.addUser("chooser", "operator")
  const { token } = await web.signIn("chooser")
  let current = password
  const choose = async (new_password: string) => {
    const answer = await web.call("PUT", "/api/v1/auth/password", {
      token,
      body: { current_password: current, new_password }
    })
    if (answer.status === 204) current = new_password
    return answer
  }
  const refused = async (given: string, reason: RegExp) => {
    const answer = await choose(given)
    expect([given, answer.status, answer.at("error.details.fields.0.path")]).toEqual([
      given,
      422,
      "payload.new_password"
    ])
    expect(answer.string("error.details.fields.0.message")).toMatch(reason)
  }
  await row.assert("14 characters: refused with reason", () =>
    refused("q7 lamps & bolt", /Too short|^$/).catch(() => refused("q7 lamps&bolt!", /Too short: 14/))
  )
  await row.assert("top-100,000 list: refused with reason", async () => {
    for (const one of ["123456789qwerty", "1qaz2wsx3edc4rfv", "passwordpassword", "qwertyuiop12345"])
      await refused(one, /guessed first/)
  })
  await row.assert("product name: refused with reason", async () => {
    for (const one of ["Linux Patch Manager", "patchmanager2026", "chooser-chooser-1"])
      await refused(one, /little more than/)
  })
  await row.assert("breached list: refused with reason", async () => {
    expect(commonPasswords.size).toBeGreaterThan(400)
    for (const one of ["correct horse battery staple", "Password123456!", "Winter2025Winter", "abcdabcdabcdabcd"]) {
      await refused(one, /guessed first|common word|same few/)
    }
  })
  await row.assert("64 and 256 characters, emoji, spaces: accepted and compared whole", async () => {
    const long = `${"seven tall lamps, ".repeat(20).slice(0, 255)}Z`
    for (const one of [
      "k3 ".repeat(9).padEnd(63, "pond ") + "!",
      "🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔🐧🐦🐤🦆",
      "  two spaces   and more  ",
      long
    ]) {
      const answer = await choose(one)
      expect([one, answer.status, answer.text.slice(0, 300)]).toEqual([one, 204, ""])
      await quiet()
      expect((await login("chooser", one)).status).toBe(200)
      expect((await login("chooser", Array.from(one).slice(0, -1).join(""))).status).toBe(401)
    }
  })
  await row.assert("1 MB password: 413 before hashing", async () => {
    await quiet()
    const answer = await web.call("POST", LOGIN, { body: { username: "chooser", password: "x".repeat(1_000_000) } })
    expect(answer.status).toBe(413)
    expect(await web.rows("select 1 from sign_in_failures")).toEqual([])
  })
  const dear = await startTestWeb({ passwordCost: leastCost })
  row.after(() => dear.stop())
  await row.assert("50 parallel logins: at most two hashes at once, event loop delay under 100 ms", async () => {
    const guess = (n: number) => dear.call("POST", LOGIN, { body: { username: `crowd${n}`, password: "wrong" } })
    const began = performance.now()
    await guess(0)
    const single = performance.now() - began
    const delay = monitorEventLoopDelay({ resolution: 10 })
    delay.enable()
    const start = performance.now()
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => guess(n + 1)))
    const took = performance.now() - start
    delay.disable()
    const hashed = answers.filter(({ status }) => status === 401).length
    expect(answers.filter(({ status }) => status === 429).length).toBe(50 - hashed)
    expect(hashed).toBeGreaterThanOrEqual(10)
    expect(took).toBeGreaterThan((hashed / 2) * single * 0.4)
    expect(delay.percentile(95) / 1e6).toBeLessThan(100)
  })
})
