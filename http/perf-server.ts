import { Effect, Layer, Logger, References, Scope } from "effect"
import { HttpServer } from "effect/http"
import { Authority } from "#actors/pki/Authority.ts"
import { ensureAuthority } from "#actors/pki/ensureAuthority.ts"
import { createToken } from "#http/server/createToken.ts"
import { createUser } from "#http/server/createUser.ts"
import { ensureSigningKey } from "#http/server/SigningKey.ts"
import * as WebServer from "#http/server/WebServer.ts"
import { layer as databaseLayer } from "#sql/Database.ts"
import { migrate } from "#sql/migrate.ts"
import { withDatabase } from "#deploy/DatabaseUrl.ts"
import { testClient } from "#test/setup/testClient.ts"
import { readFileSync, writeFileSync } from "node:fs"
const base = readFileSync("/tmp/w/http/pgurl", "utf8").trim()
const a = testClient(base); await a.connect(); await a.query("drop database if exists perf with (force)"); await a.query("create database perf"); await a.end()
const url = withDatabase(base, "perf")
await migrate(url)
const files = await Effect.runPromise(ensureAuthority("/tmp/w/http/perf/pki"))
await ensureSigningKey("/tmp/w/http/perf/jwt.pem")
const database = databaseLayer({ url, applicationName: "perf", maxConnections: Number(process.env.CONN ?? 8) })
const web = WebServer.layer({ bind: "127.0.0.1", port: 18443, publicUrl: "https://localhost:18443", tls: { key: files.web.private_key_pem, cert: files.web.certificate_pem }, consoleDirectory: "/tmp/w/http/perf", jwtKeyFile: "/tmp/w/http/perf/jwt.pem", managerAddress: null, securityTargetDays: 14 }).pipe(Layer.provide(Authority.layer("/tmp/w/http/perf/pki")), Layer.provideMerge(database))
const scope = Scope.makeUnsafe()
const services = await Effect.runPromise(Layer.buildWithScope(web, scope))
const run = (e: any): Promise<any> => Effect.runPromise(Effect.provideContext(e, services as any) as any)
await run(createUser({ username: "admin", displayName: "a", role: "admin", password: "correct horse battery" }))
const token = await run(createToken({ username: "admin", name: "x", expiresIn: "1 day" }))
const c = testClient(url); await c.connect()
await c.query(`insert into hosts (id, display_name, fqdn, address, registered_by, os, os_version, agent_version, last_seen_at, reboot_needed)
    select gen_random_uuid(), 'h-' || n, 'h-' || n || '.example.org', ('10.0.0.0'::inet + n), 'x', 'ubuntu', '24.04', '2.5.5', now(), false from generate_series(1, 2500) n`)
await c.query(`insert into host_snapshots select h.id, 1, 1, 'healthy', 'idle', 'healthy', '{}', '{}', null, now(), now() from hosts h`)
await c.query(`insert into host_patch_data (host_id, patches, pending, security, content_hash) select id, '[]', 3, 1, '' from hosts`)
await c.query("analyze"); await c.end()
writeFileSync("/tmp/w/http/perf/token", token)
console.log("ready")
let last = process.cpuUsage()
process.on("SIGUSR2", () => { const u = process.cpuUsage(last); last = process.cpuUsage(); writeFileSync("/tmp/w/http/perf/cpu", String(u.user + u.system)) })
process.on("SIGTERM", () => process.exit(0))
