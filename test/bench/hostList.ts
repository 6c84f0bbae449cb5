/** The host list, read by fifty at once over HTTPS, against fastify and pg with the same statement. */
import { readFileSync, writeFileSync } from "node:fs"
import { Agent, get } from "node:https"
import { createServer, type AddressInfo } from "node:net"
import { join } from "node:path"
import { Effect, ManagedRuntime } from "effect"
import { Statement } from "effect/sql"
import { rateLimits, widened } from "#core/Limits.ts"
import { UserId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import { rolePermissions } from "#core/Permission.ts"
import type { Principal } from "#core/User.ts"
import { createToken } from "#http/server/createToken.ts"
import { createUser } from "#http/server/createUser.ts"
import { ensureSigningKey } from "#http/server/signingKeyFile.ts"
import { layer as databaseLayer } from "#sql/Database.ts"
import { listHosts } from "#sql/hostList.ts"
import { type Child, startChild, type Usage } from "./Child.ts"
import type { FastifyStart } from "./fastifyProcess.ts"
import { median, percentile, type Report, shown } from "./Goal.ts"
import type { Installation } from "./Installation.ts"
import { makeHealthy } from "./state.ts"
import type { WebStart } from "./webProcess.ts"

const READERS = 50
const REQUESTS = 2_500
const ROUNDS = 3

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

interface Reading {
  readonly latencies: ReadonlyArray<number>
  readonly wallMs: number
}

const read = async (port: number, ca: Buffer, token: string): Promise<Reading> => {
  const agent = new Agent({ keepAlive: true, maxSockets: READERS, ca, servername: "localhost" })
  const headers = { authorization: `Bearer ${token}`, host: `localhost:${port}` }
  const once = () =>
    new Promise<void>((resolve, reject) => {
      get({ host: "127.0.0.1", port, path: "/api/v1/hosts", agent, headers }, (response) => {
        let bytes = 0
        response.on("data", (part: Buffer) => (bytes += part.length))
        response.on("error", reject)
        response.on("end", () =>
          response.statusCode === 200 && bytes > 10_000
            ? resolve()
            : reject(new Error(`The list answered ${response.statusCode} with ${bytes} bytes.`))
        )
      }).on("error", reject)
    })
  const latencies: Array<number> = []
  let left = REQUESTS
  const reader = async (): Promise<void> => {
    while (left-- > 0) {
      const began = performance.now()
      await once()
      latencies.push(performance.now() - began)
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: READERS }, reader))
  agent.destroy()
  return { latencies, wallMs: performance.now() - began }
}

const principal: Principal = {
  kind: "user",
  user_id: newId(UserId),
  username: "bench",
  role: "admin",
  permissions: new Set(rolePermissions.admin),
  group_ids: [],
  session_id: null,
  token: null
}

/** Makes an account with a token, and hears what statement the list runs. */
const prepare = async (at: Installation) => {
  const database = ManagedRuntime.make(databaseLayer({ url: at.url, applicationName: "bench", maxConnections: 1 }))
  const heard: Array<readonly [text: string, values: ReadonlyArray<unknown>]> = []
  try {
    const token = await database.runPromise(
      Effect.gen(function* () {
        yield* createUser({
          username: "bench",
          displayName: "bench",
          role: "admin",
          password: "no password is typed here"
        })
        return yield* createToken({ username: "bench", name: "bench", expiresIn: "1 hour" })
      })
    )
    await database.runPromise(
      listHosts(principal, {}).pipe(
        Effect.provideService(Statement.CurrentTransformer, (statement) =>
          Effect.sync(() => {
            heard.push(statement.compile())
            return statement
          })
        )
      )
    )
    const [text, values] = heard[0] ?? ["", []]
    return { token, text, values }
  } finally {
    await database.dispose()
  }
}

export const hostList = async (at: Installation, report: Report): Promise<void> => {
  await makeHealthy(at)
  await at.query("analyze")
  const { token, text, values } = await prepare(at)
  const jwtKeyFile = join(at.folder, "jwt.pem")
  await ensureSigningKey(jwtKeyFile)
  writeFileSync(join(at.folder, "index.html"), "<!doctype html><title>console</title>")
  const ca = readFileSync(join(at.secretsDir, "ca.pem"))
  const key = readFileSync(join(at.secretsDir, "web.key.pem"), "utf8")
  const cert = readFileSync(join(at.secretsDir, "web.pem"), "utf8")
  const ports = { web: await freePort(), fastify: await freePort() }
  const settings = {
    bind: "127.0.0.1",
    port: ports.web,
    publicUrl: `https://localhost:${ports.web}`,
    tls: { key, cert },
    consoleDirectory: at.folder,
    jwtKeyFile,
    managerAddress: null,
    securityTargetDays: 14,
    rates: widened(rateLimits, 100_000)
  }
  const children: Array<Child> = []
  try {
    const { child: web } = await startChild<string>("webProcess.ts", {
      url: at.urls.web,
      secretsDir: at.secretsDir,
      settings
    } satisfies WebStart)
    children.push(web)
    const { child: fastify } = await startChild<string>("fastifyProcess.ts", {
      url: at.url,
      port: ports.fastify,
      key,
      cert,
      text,
      values
    } satisfies FastifyStart)
    children.push(fastify)
    const measure = async (name: "web" | "fastify", child: Child) => {
      const before = await child.ask<Usage>("usage")
      const { latencies, wallMs } = await read(ports[name], ca, token)
      const cpuMs = ((await child.ask<Usage>("usage")).cpuMs - before.cpuMs) / REQUESTS
      const p99 = percentile(latencies, 0.99)
      report.figure(
        `${name}: ${cpuMs.toFixed(3)} ms CPU a request, p50 ${shown(percentile(latencies, 0.5))} ms, p99 ${shown(p99)} ms, ` +
          `${shown(REQUESTS / (wallMs / 1000))} requests/s`
      )
      return { cpuMs, p99 }
    }
    await read(ports.web, ca, token)
    await read(ports.fastify, ca, token)
    const ours: Array<{ readonly cpuMs: number; readonly p99: number }> = []
    const theirs: typeof ours = []
    for (let round = 0; round < ROUNDS; round++) {
      ours.push(await measure("web", web))
      theirs.push(await measure("fastify", fastify))
    }
    const p99 = median(ours.map((it) => it.p99))
    const ratio = median(ours.map((it) => it.cpuMs)) / median(theirs.map((it) => it.cpuMs))
    report.goal({ name: `host list, ${READERS} readers at once, p99`, value: p99, limit: 150, unit: "ms" })
    report.goal({ name: "host list: web / fastify and pg, CPU a request", value: ratio, limit: 1.5, unit: "x" })
  } finally {
    for (const child of children) await child.stop()
  }
}
