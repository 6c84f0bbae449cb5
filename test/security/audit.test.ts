/** The audit log under watch and under load, and secrets that must appear nowhere. */
import { type ChildProcess, fork } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { request as httpsRequest } from "node:https"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { generateSync } from "otplib"
import { expect } from "vitest"
import { secretFile } from "#test/setup/secretFile.ts"
import { ensureAuthority } from "#actors/pki/ensureAuthority.ts"
import { projectRoot } from "#deploy/projectRoot.ts"
import { createUser } from "#http/server/createUser.ts"
import { ensureSigningKey } from "#http/server/signingKeyFile.ts"
import { flushSignInFailures } from "#sql/AuditStore.ts"
import { freePort } from "#test/harness/startWeb.ts"
import { startTestWeb } from "#test/http/TestWeb.ts"
import { startAuditWorld } from "#test/sql/auditWorld.ts"
import { startTestStores } from "#test/sql/testStores.ts"
import { securityRow } from "./securityRow.ts"

securityRow("S103", "the audit of the audit", async (row) => {
  const web = await startTestWeb()
  row.after(() => web.stop())
  const world = await startAuditWorld()
  row.after(() => world.stop())
  await web.addUser("audrey", "auditor")
  const { token } = await web.signIn("audrey")
  const recorded = async (action: string) =>
    (await web.rows<{ actor_name: string }>("select actor_name from audit_log where action = $1", [action])).map(
      ({ actor_name }) => actor_name
    )
  await row.assert("reading is audited", async () => {
    await web.call("GET", "/api/v1/audit?search=root", { token })
    expect(await recorded("audit.read")).toEqual(["audrey"])
  })
  await row.assert("exporting is audited", async () => {
    expect((await web.call("GET", "/api/v1/audit/export", { token })).status).toBe(200)
    expect(await recorded("audit.export")).toEqual(["audrey"])
  })
  await row.assert("failed verification is audited", async () => {
    await world.append(20)
    await world.checkpoint()
    await world.tamper("update audit_log set actor_name = 'eve' where seq = 7")
    expect((await world.verify()).state).toBe("failed")
    const rows = await world.rows<{ after: unknown }>(
      "select after from audit_log where action = 'audit.verification_failed'"
    )
    expect(rows).toEqual([{ after: { findings: [{ kind: "body_altered", first_seq: 7 }] } }])
  })
  await row.assert("the export verifies offline with a small stand-alone program", async () => {
    const program = readFileSync(join(projectRoot, "tools", "verify-audit.mjs"), "utf8")
    expect(program.split("\n").length).toBeLessThan(300)
    const imports = [...program.matchAll(/^import .* from "([^"]+)"/gm)].map(([, from]) => from)
    expect(imports.every((from) => from?.startsWith("node:"))).toBe(true)
    expect((await world.offline(await world.exportTo("altered.ndjson"))).found).toEqual([
      { kind: "body_altered", first_seq: 7 }
    ])
    await world.tamper("update audit_log set actor_name = 'test' where seq = 7")
    expect((await world.offline(await world.exportTo("whole.ndjson"))).code).toBe(0)
  })
})

securityRow("S104", "denial of service on the audit log", async (row) => {
  const stores = await startTestStores(8)
  row.after(() => stores.stop())
  const web = await startTestWeb()
  row.after(() => web.stop())
  const FAILURES = 100_000
  const flood = async () => {
    for (let n = 0; n < FAILURES; n += 250) {
      await stores.rows(`select audit_sign_in_failure('anonymous', '-', 'root', 'session.sign_in_failed', 'user', '-', null,
        null, 'flood', '192.0.2.1') from generate_series(1, 250)`)
    }
  }
  const slow: Array<number> = []
  const began = performance.now()
  let over = false
  const flooding = flood().finally(() => (over = true))
  while (!over) {
    const at = performance.now()
    await stores.rows("select audit_append('machine', 't', 't', 'test', 't', 't', null, null, 't', 'local')")
    slow.push(performance.now() - at)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await flooding
  const seconds = (performance.now() - began) / 1000
  await stores.rows(
    "update audit_sign_in_minutes set minute = minute - interval '10 minutes' - interval '1 minute' * 0"
  )
  await stores.run(flushSignInFailures)
  const [counted] = await stores.rows<{ single: number; together: number; rows: number; minutes: number }>(
    `select count(*) filter (where action = 'session.sign_in_failed')::int as single,
       coalesce(sum((after->>'recorded_here')::int), 0)::int as together, count(*)::int as rows,
       count(*) filter (where action = 'session.sign_in_failed_many')::int as minutes
     from audit_log where source_address = '192.0.2.1'`
  )
  await row.assert("100,000 failed logins → one aggregated row a minute per source after the first 100", () => {
    const { minutes, single, together } = counted!
    expect(single + together).toBe(FAILURES)
    expect(single).toBe(minutes * 100)
    expect(minutes).toBeLessThanOrEqual(Math.ceil(seconds / 60) + 1)
  })
  await row.assert("chain stays under 600 a second", () => {
    expect((counted?.rows ?? Infinity) / seconds).toBeLessThan(600)
  })
  await row.assert("nothing else is starved", () => {
    expect(Math.max(...slow)).toBeLessThan(2000)
  })
  await row.assert("failed logins → counted where they are refused", async () => {
    for (let n = 0; n < 3; n += 1) {
      const answer = await web.call("POST", "/api/v1/auth/login", {
        body: { username: "nobody", password: "not a word" }
      })
      expect(answer.status).toBe(401)
    }
    const rows = await web.rows<{ failures: number }>(
      "select sum(failures)::int as failures from audit_sign_in_minutes"
    )
    expect(rows[0]?.failures).toBe(3)
  })
})

/** A web process with its log, on a database of its own. */
const startProcess = async (databaseUrl: string, dataDir: string) => {
  const secrets = join(dataDir, "secrets")
  const files = await Effect.runPromise(ensureAuthority(secrets))
  await ensureSigningKey(join(secrets, "jwt.ed25519.pem"))
  writeFileSync(join(secrets, "web.key.pem"), files.web.private_key_pem, { mode: 0o600 })
  writeFileSync(join(secrets, "web.pem"), files.web.certificate_pem)
  mkdirSync(join(dataDir, "console"), { recursive: true })
  writeFileSync(join(dataDir, "console", "index.html"), "<!doctype html>")
  const port = await freePort()
  const child: ChildProcess = fork(join(projectRoot, "deploy", "web.ts"), {
    env: {
      PATH: process.env["PATH"],
      PATCH_MANAGER__DATA_DIR: dataDir,
      PATCH_MANAGER__DATABASE__URL: secretFile(join(secrets, "database-url"), databaseUrl),
      PATCH_MANAGER__DATABASE__SINGLE_ROLE: "true",
      PATCH_MANAGER__WEB__PORT: String(port),
      PATCH_MANAGER__WEB__CONSOLE_DIR: join(dataDir, "console"),
      PATCH_MANAGER__LOG__LEVEL: "debug",
      PATCH_MANAGER__LOG__FORMAT: "json"
    },
    execArgv: [],
    stdio: ["ignore", "pipe", "pipe", "ipc"]
  })
  let log = ""
  child.stdout?.on("data", (chunk: Buffer) => (log += chunk.toString()))
  child.stderr?.on("data", (chunk: Buffer) => (log += chunk.toString()))
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()))
  await Promise.race([new Promise<void>((resolve) => child.once("message", () => resolve())), gone])
  const bodies: Array<string> = []
  const call = (
    method: string,
    path: string,
    options: { token?: string; cookie?: string; body?: unknown; raw?: string }
  ) =>
    new Promise<{ status: number; json: Record<string, unknown>; cookie: string }>((resolve, reject) => {
      const payload = options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body))
      const sent = httpsRequest(
        {
          host: "127.0.0.1",
          port,
          servername: "localhost",
          ca: files.ca.certificate_pem,
          agent: false,
          method,
          path,
          headers: {
            host: `localhost:${port}`,
            "idempotency-key": `key-${bodies.length}`,
            ...(payload === undefined ? {} : { "content-type": "application/json" }),
            ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
            ...(options.cookie === undefined ? {} : { cookie: options.cookie })
          }
        },
        (response) => {
          let text = ""
          response.on("data", (chunk: Buffer) => (text += chunk.toString()))
          response.on("end", () => {
            bodies.push(`${method} ${path} ${response.statusCode} ${text}`)
            const isOne = String(response.headers["content-type"]).startsWith("application/json")
            const json = isOne && text !== "" ? (JSON.parse(text) as Record<string, unknown>) : {}
            resolve({
              status: response.statusCode ?? 0,
              json,
              cookie: (response.headers["set-cookie"]?.[0] ?? "").split(";")[0] ?? ""
            })
          })
        }
      )
      sent.on("error", reject)
      sent.end(payload)
    })
  return { call, bodies, log: () => log, child, gone, secrets }
}

const at = (value: unknown, path: string): string =>
  String(
    path.split(".").reduce<unknown>((now, key) => (now as Record<string, unknown> | undefined)?.[key], value) ?? ""
  )

securityRow("S84", "canary secrets", async (row) => {
  const stores = await startTestStores()
  row.after(() => stores.stop())
  const dataDir = mkdtempSync(join(tmpdir(), "pm-canary-"))
  row.after(() => rmSync(dataDir, { recursive: true, force: true }))
  const canary = (name: string): string => `canary-${name}-2f9c81d7`
  const words = { password: canary("password"), wrong: canary("wrong-password"), next: canary("next-password") }
  await stores.run(createUser({ username: "cora", displayName: "Cora", role: "admin", password: words.password }))
  const databaseUrl = `${stores.url}${stores.url.includes("?") ? "&" : "?"}password=${canary("database")}`
  const web = await startProcess(databaseUrl, dataDir)
  row.after(async () => {
    web.child.kill("SIGKILL")
    await web.gone
  })
  const { call } = web

  await call("POST", "/api/v1/auth/login", { body: { username: "cora", password: words.wrong } })
  const first = await call("POST", "/api/v1/auth/login", { body: { username: "cora", password: words.password } })
  const enrolling = { token: at(first.json, "access_token"), cookie: first.cookie }
  const begun = await call("POST", "/api/v1/auth/factors/totp", enrolling)
  const seed = at(begun.json, "secret")
  const confirmed = await call("POST", "/api/v1/auth/factors/totp/confirm", {
    ...enrolling,
    body: { code: generateSync({ secret: seed }) }
  })
  const codes = (confirmed.json["recovery_codes"] ?? []) as ReadonlyArray<string>
  const session = { token: at(confirmed.json, "signed_in.access_token"), cookie: confirmed.cookie || first.cookie }
  const host = await call("POST", "/api/v1/hosts", { ...session, body: { address: "127.0.0.77" } })
  const issued = await call("POST", `/api/v1/hosts/${at(host.json, "id")}/certificate`, session)
  const made = await call("POST", "/api/v1/tokens", {
    ...session,
    body: { name: "canary", permissions: ["hosts:read"], expires_in_days: 1 }
  })
  await call("POST", "/api/v1/sso/providers", {
    ...session,
    body: {
      name: "canary",
      kind: "oidc",
      issuer: "https://idp.example.org",
      client_id: "c",
      client_secret: canary("client-secret-0123456789")
    }
  })
  // Errors, with secrets where they do not belong.
  await call("POST", "/api/v1/auth/login", { raw: `{"username":"cora","password":"${words.password}"` })
  await call("POST", "/api/v1/auth/login", { body: { username: "cora", password: 7, extra: words.password } })
  await call("GET", "/api/v1/hosts", { token: canary("bearer") })
  await call("POST", "/api/v1/auth/mfa/recovery-code", { ...enrolling, body: { code: codes[0] ?? "none" } })
  await stores.rows("alter table hosts rename to hosts_away")
  await call("GET", "/api/v1/hosts", session)
  await call("PUT", "/api/v1/auth/password", {
    ...session,
    body: { current_password: words.password, new_password: words.next }
  })
  await stores.rows("alter table hosts_away rename to hosts")
  const exported = await call("GET", "/api/v1/audit/export", session)

  const key = readFileSync(join(web.secrets, "ca.key.pem"), "utf8").split("\n")[1] ?? ""
  const issuedKey = JSON.stringify(issued.json).match(/PRIVATE KEY-----\\n([A-Za-z0-9+/]{40})/)?.[1] ?? ""
  const apiToken = at(made.json, "token")
  const secrets: Readonly<Record<string, string>> = {
    password: words.password,
    "wrong password": words.wrong,
    "new password": words.next,
    "TOTP seed": seed,
    "recovery code": codes[1] ?? "",
    "refresh cookie": session.cookie.split("=")[1] ?? "",
    "access token": session.token,
    "API token": apiToken,
    "client secret": canary("client-secret"),
    "database password": canary("database"),
    "foreign bearer": canary("bearer"),
    "authority's private key": key.slice(0, 40),
    "host's private key": issuedKey
  }
  const holds = (text: string, but: ReadonlyArray<string> = []): ReadonlyArray<string> =>
    Object.entries(secrets)
      .filter(([name, secret]) => !but.includes(name) && text.includes(secret))
      .map(([name]) => name)

  await row.assert("all flows were driven: every secret is there to be looked for", () => {
    expect([first.status, confirmed.status, host.status, issued.status, made.status, exported.status]).toEqual([
      200, 200, 201, 201, 201, 200
    ])
    expect(Object.entries(secrets).filter(([, secret]) => secret.length < 8)).toEqual([])
  })
  await row.assert("journal finds 0", () => {
    expect(web.log().length).toBeGreaterThan(100)
    expect(holds(web.log())).toEqual([])
  })
  await row.assert("audit finds 0", async () => {
    const rows = await stores.rows<{ line: string }>("select a::text as line from audit_log a")
    expect(holds(rows.map(({ line }) => line).join("\n"))).toEqual([])
  })
  await row.assert("exports find 0", () => {
    const body = web.bodies.find((one) => one.startsWith("GET /api/v1/audit/export")) ?? ""
    expect(body.length).toBeGreaterThan(500)
    expect(holds(body)).toEqual([])
  })
  await row.assert("HTTP bodies find 0, but for the answers that hand a secret out once", () => {
    const once = ["/factors/totp", "/auth/login 200", "/certificate 201", "/tokens 201"]
    expect(
      holds(web.bodies.filter((body) => !once.some((part) => body.slice(0, 200).includes(part))).join("\n"))
    ).toEqual([])
    expect(holds(web.bodies.filter((body) => body.includes("/auth/login 200")).join("\n"), ["access token"])).toEqual(
      []
    )
  })
  await row.assert("the database finds 0 in the clear", async () => {
    const tables = await stores.rows<{ name: string }>(
      "select quote_ident(table_name) as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'"
    )
    for (const { name } of tables) {
      const rows = await stores.rows<{ line: string }>(`select t::text as line from ${name} t`)
      expect([name, holds(rows.map(({ line }) => line).join("\n"))]).toEqual([name, []])
    }
  })
  await row.assert("`ps` finds 0", () => {
    expect(holds(readFileSync(`/proc/${web.child.pid}/cmdline`, "utf8"))).toEqual([])
  })
  await row.assert("`/proc/*/environ` finds 0", () => {
    expect(holds(readFileSync(`/proc/${web.child.pid}/environ`, "utf8"))).toEqual([])
  })
  row.missing("mails", "there is no mail yet")
  row.missing("core dumps", "cores are a matter of the system's limits, which the packages set")
})
