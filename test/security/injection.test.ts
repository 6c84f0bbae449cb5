/** Texts that would mean something to a shell, a parser, a log or a browser: against the real web process and the real decoders. */
import { Effect, Logger } from "effect"
import { afterAll, beforeAll, expect } from "vitest"
import { decodePackages } from "#actors/agent/decode/packages.ts"
import { decodePatches } from "#actors/agent/decode/patches.ts"
import { makeLogger } from "#deploy/Log.ts"
import { startTestWeb, type TestWeb } from "#test/http/TestWeb.ts"
import { securityRow } from "./securityRow.ts"
import { rawWeb } from "./rawWeb.ts"
import { sourcesOf } from "./sourceText.ts"

let web: TestWeb
let token: string
let host: string
beforeAll(async () => {
  web = await startTestWeb()
  await web.addUser("admin", "admin")
  token = (await web.signIn("admin")).token
  host = await web.addHost(token, { address: "127.0.0.1" })
})
afterAll(() => web.stop())

const shell = [
  "$(reboot)",
  "`reboot`",
  "a\nb",
  "a\rb",
  "'; reboot; '",
  '"; reboot; "',
  "--option",
  "-rf",
  "a b",
  "a;b",
  "a|b",
  "a&b",
  "a>b",
  "../a",
  "${IFS}",
  "*",
  "~root",
  "a\\b",
  "-o Dpkg::Pre-Invoke::=reboot"
]
let keys = 0
const post = (path: string, body: unknown) =>
  web.call("POST", path, { token, body, headers: { "idempotency-key": `i-${++keys}` } })

securityRow("S70", "settings that reach a command are taken from an allow-list of characters", async (row) => {
  await row.assert(
    "`$()`, back-ticks, newline, quotes, `--option`, leading dash → refused: names and versions of packages",
    async () => {
      const install = (name: string, version: string | null) =>
        post("/api/v1/jobs", { kind: "package_install", host_ids: [host], packages: [{ name, version }] })
      expect((await install("openssl", "3.0.2-0ubuntu1")).status).toBe(201)
      for (const text of shell) {
        const [name, version] = [await install(text, null), await install("openssl", text)]
        const chosen = await post("/api/v1/jobs", {
          kind: "patch_apply",
          host_ids: [host],
          selection: { kind: "packages", names: [text] }
        })
        expect([text, name.status, version.status, chosen.status]).toEqual([text, 422, 422, 422])
      }
    }
  )
  await row.assert(
    "refused: services, host names, addresses, fingerprints, networks, held packages' names",
    async () => {
      await web.call("PATCH", "/api/v1/settings", {
        token,
        body: { discovery_networks: ["127.0.0.0/8"] },
        headers: { "if-match": '"0"' }
      })
      const each = (
        text: Partial<Record<"service" | "fqdn" | "address" | "fingerprint" | "cidr" | "pattern", string>>
      ) => {
        const { service = "", fqdn = "", address = "", fingerprint = "", cidr = "", pattern = "" } = text
        return [
          () => web.call("PUT", `/api/v1/hosts/${host}/service-checks`, { token, body: { services: [service] } }),
          () => post("/api/v1/hosts", { fqdn, address: "127.0.0.4" }),
          () => post("/api/v1/hosts", { address }),
          () => post("/api/v1/hosts", { address: "127.0.0.3", bound_fingerprint: fingerprint }),
          () => post("/api/v1/discovery/cidr", { cidr }),
          () => post("/api/v1/holds", { target: { kind: "all" }, pattern, reason: "test" })
        ]
      }
      const statuses = async (calls: ReturnType<typeof each>) => {
        const found: Array<number> = []
        for (const call of calls) found.push((await call()).status)
        return found
      }
      for (const text of shell) {
        const pattern = text === "*" ? "" : text
        const calls = each({ service: text, fqdn: text, address: text, fingerprint: text, cidr: text, pattern })
        expect([text, ...(await statuses(calls))]).toEqual([text, 422, 422, 422, 422, 422, 422])
      }
      // What is in order is taken, so it was the text that was refused.
      const good = each({
        service: "nginx",
        fqdn: "web-01.example.org",
        address: "127.0.0.5",
        fingerprint: "ab".repeat(32),
        cidr: "127.88.0.0/30",
        pattern: "nginx*"
      })
      expect(await statuses(good)).toEqual([200, 201, 201, 201, 201, 201])
    }
  )
  await row.assert("spawn with argument arrays only; nothing of the product runs a shell", () => {
    const runs = sourcesOf(["actors", "core", "deploy", "http", "machines", "sql"]).flatMap(({ path, text }) =>
      [...text.matchAll(/shell: *true|(?<![.\w])exec(Sync)?\(/g)].map(([found]) => `${path}: ${found}`)
    )
    expect(runs).toEqual([])
  })
  row.missing("a lint rule forbids `exec`", "the search over the sources in this row stands in for it")
})

securityRow("S71", "names that agents send", async (row) => {
  const bad = shell.concat(["a\u0000b", "openssl;reboot", "-o Dpkg::Options", "openssl reboot", "<script>", ""])
  await row.assert("Package names → refused by pattern: no such name gets into a plan or an order", () => {
    const names = bad.map((name) => ({
      name,
      version: "1",
      current_version: "1",
      available_version: "2",
      severity: "high"
    }))
    const good = ["openssl", "libc6:i386", "g++", "kernel-core", "python3.11", "_x"].map((name) => ({
      ...names[0]!,
      name
    }))
    const packages = decodePackages({ success: true, data: { packages: [...names, ...good] } }) ?? []
    expect(packages.map(({ name }) => name)).toEqual(good.map(({ name }) => name))
    const listed = (patches: ReadonlyArray<unknown>) =>
      decodePatches({ success: true, data: { patches } })?.patches.map(({ name }) => name)
    expect(listed(good)).toEqual(good.map(({ name }) => name))
    // Left out, what is pending would seem patched: the whole list counts as unread.
    for (const odd of names) expect([odd.name, listed([...good, odd])]).toEqual([odd.name, undefined])
  })
  row.missing("repository URLs", "the manager reads and sends none")
  row.missing(
    "the plan sent equals the plan approved",
    "there is no approval yet; a job with a plan's hash is refused where the plan has changed (test/http/jobPlan.test.ts)"
  )
})

securityRow("S81", "JSON that parsers read differently", async (row) => {
  const raw = (body: string | Buffer, type: string | null = "application/json") => {
    const bytes = Buffer.from(body)
    const head = [
      "POST /api/v1/hosts HTTP/1.1",
      "Host: localhost",
      `Authorization: Bearer ${token}`,
      "Idempotency-Key: json",
      "Connection: close",
      `Content-Length: ${bytes.length}`,
      ...(type === null ? [] : [`Content-Type: ${type}`])
    ].join("\r\n")
    return rawWeb(web, Buffer.concat([Buffer.from(`${head}\r\n\r\n`), bytes]))
  }
  const is = async (status: number, body: string | Buffer, type?: string | null): Promise<void> => {
    expect([String(body).slice(0, 60), type, (await raw(body, type)).statuses]).toEqual([
      String(body).slice(0, 60),
      type,
      [status]
    ])
  }
  const before = (await web.rows("select 1 from hosts")).length
  await row.assert("duplicate keys → 400", async () => {
    await is(400, '{"address":"127.0.0.2","address":"127.0.0.3"}')
    await is(400, '{"address":"127.0.0.2","\\u0061ddress":"127.0.0.3"}')
  })
  await row.assert("big numbers → 400", async () => {
    await is(400, '{"address":"127.0.0.2","agent_port":12443000000000000000000}')
    await is(400, '{"address":"127.0.0.2","agent_port":1e999}')
  })
  await row.assert("deep nesting → 400", () => is(400, `${"[".repeat(10_000)}${"]".repeat(10_000)}`))
  await row.assert("invalid UTF-8 → 400", () => is(400, Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])))
  await row.assert("BOM → 400", async () => {
    await is(400, '\ufeff{"address":"127.0.0.2"}')
    await is(400, Buffer.from('\ufeff{"address":"127.0.0.2"}', "utf16le"))
  })
  await row.assert("NUL and halves of characters in texts → 400", async () => {
    for (const text of ["\\u0000", "\\ud800", "\\udc00x", "a\\uD83D"])
      await is(400, `{"address":"127.0.0.2","display_name":"${text}"}`)
    expect((await web.call("GET", "/api/v1/hosts?q=%00", { token })).status).toBe(400)
  })
  await row.assert("wrong or missing content type, charset tricks → 415", async () => {
    const body = '{"address":"127.0.0.2"}'
    await is(415, body, null)
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "application/json; charset=utf-7",
      "application/json; charset=utf-16",
      "application/jsonp",
      "application/json, text/plain",
      "application/xml",
      "x"
    ]) {
      await is(415, body, type)
    }
  })
  await row.assert("parsers agree: nothing of it was made", async () => {
    expect((await web.rows("select 1 from hosts")).length).toBe(before)
    const proto = await raw('{"__proto__":{"role":"admin"},"address":"127.0.0.2"}')
    expect(proto.statuses).toEqual([422])
    expect(Object.hasOwn(Object.prototype, "role")).toBe(false)
  })
})

securityRow("S83", "what people send cannot forge a line of the log", async (row) => {
  const attacks = [
    "a\nb",
    'a\r\n{"level":"error"}',
    "\u001b[2K\u001b[1Aowned",
    "\u202eevil\u2066",
    "\u2028line",
    "\u0000",
    "\u009b31m"
  ]
  const logged = (format: "json" | "text", text: string): ReadonlyArray<string> => {
    const lines: Array<string> = []
    const logger = makeLogger("web", format, (line) => lines.push(line))
    Effect.runSync(
      Effect.logWarning(`Sign-in of ${text}`).pipe(
        Effect.annotateLogs({ request_id: text, user: text }),
        Effect.provide(Logger.layer([logger]))
      )
    )
    return lines
  }
  // oxlint-disable-next-line no-control-regex
  const bare = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u2028\u2029]/
  await row.assert("newline, ANSI escape, bidi marks in user fields → encoded", () => {
    for (const text of attacks) {
      for (const format of ["json", "text"] as const) {
        for (const line of logged(format, text)) {
          // A terminal's own colours around the line are ours.
          const inner = ["[2m", "[33m", "[31m", "[0m"].reduce(
            (text, colour) => text.replace(`\u001b${colour}`, ""),
            line
          )
          expect([format, JSON.stringify(text), bare.test(inner)]).toEqual([format, JSON.stringify(text), false])
        }
      }
    }
  })
  await row.assert("one event = one line = valid JSON", () => {
    for (const text of attacks) {
      const lines = logged("json", text)
      expect([lines.length, lines[0]?.split("\n").length]).toEqual([1, 1])
      expect(JSON.parse(lines[0] ?? "")).toMatchObject({ message: `Sign-in of ${text}`, request_id: text })
    }
  })
})

securityRow("S85", "forced errors", async (row) => {
  const inside =
    /\bat .+:[0-9]+|node_modules|\/work\/|\/home\/|\.ts\b|select |insert |column|relation|PgConnection|effect\/|stack|v?[0-9]+\.[0-9]+\.[0-9]+/i
  const away = async (table: string, call: () => Promise<{ status: number; text: string; headers: object }>) => {
    await web.rows(`alter table ${table} rename to ${table}_away`)
    try {
      return await call()
    } finally {
      await web.rows(`alter table ${table}_away rename to ${table}`)
    }
  }
  await row.assert("stack, SQL, path or version in a response → none", async () => {
    const forced = [
      await away("host_packages", () => web.call("GET", `/api/v1/hosts/${host}/packages`, { token })),
      await away("maintenance_windows", () => web.call("GET", "/api/v1/windows", { token })),
      await away("network_access", () => web.call("GET", "/api/v1/network", { token })),
      await away("patch_jobs", () => post("/api/v1/jobs", { kind: "reboot", host_ids: [host] }))
    ]
    for (const answer of forced) {
      expect(answer.status).toBe(500)
      expect(answer.text).not.toMatch(inside)
      expect(JSON.stringify(answer.headers)).not.toMatch(/node_modules|select |\.ts\b/)
    }
    for (const path of [
      "/api/v1/hosts/%00",
      "/api/v1/hosts?cursor=%00",
      "/api/v1/hosts?q=%ff",
      `/api/v1/hosts/${"a".repeat(5000)}`
    ]) {
      const answer = await web.call("GET", path, { token })
      expect([path.slice(0, 40), answer.status < 500]).toEqual([path.slice(0, 40), true])
      expect(answer.text).not.toMatch(/node_modules|PgConnection|\bat .+:[0-9]+/)
    }
  })
  await row.assert("correlation id only", async () => {
    const answer = await away("host_packages", () => web.call("GET", `/api/v1/hosts/${host}/packages`, { token }))
    const { error } = JSON.parse(answer.text) as { error: Record<string, unknown> }
    expect(Object.keys(error).toSorted()).toEqual(["code", "details", "message", "request_id"])
    expect([error["code"], error["details"]]).toEqual(["internal_error", {}])
  })
})
