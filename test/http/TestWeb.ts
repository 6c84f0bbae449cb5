/** The whole web process on a database of its own, over real HTTPS on a free port. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { type Agent, request as httpsRequest } from "node:https"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Exit, Layer, Logger, Predicate, References, Scope } from "effect"
import { HttpServer } from "effect/http"
import { Authority } from "#actors/pki/Authority.ts"
import { ensureAuthority } from "#actors/pki/ensureAuthority.ts"
import { rateLimits, widened } from "#core/Limits.ts"
import type { Role } from "#core/Permission.ts"
import { makeLogger } from "#deploy/Log.ts"
import { createToken } from "#http/server/createToken.ts"
import { createUser } from "#http/server/createUser.ts"
import { ensureSigningKey } from "#http/server/signingKeyFile.ts"
import * as WebServer from "#http/server/WebServer.ts"
import type { WebSettings } from "#http/server/WebSettings.ts"
import { layer as databaseLayer, operatorsLayer } from "#sql/Database.ts"
import type { Beginning } from "#sql/SessionStore.ts"
import { makeTestDatabase } from "#test/setup/Database.ts"
import { mintSession } from "#test/setup/mintSession.ts"
import { roleUrls } from "#test/setup/roleUrls.ts"
import { testClient } from "#test/setup/testClient.ts"

export const password = "correct horse battery staple"
/** Hashing as it is done outside of tests would take them minutes. */
export const testCost = { memory_kib: 8192, time_cost: 1 }
const publicUrl = "https://localhost:8443"

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly text: string
  /** The body as JSON. */
  readonly json: () => unknown
  /** One value of the JSON body by its path, such as `error.details.fields.0.path`. */
  readonly at: (path: string) => unknown
  readonly string: (path: string) => string
}

export interface CallOptions {
  readonly token?: string
  readonly body?: unknown
  /** Sent as it is, instead of `body` as JSON. */
  readonly raw?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Keeps connections for those who ask very often. */
  readonly agent?: Agent
}

const answerOf = (status: number, headers: Answer["headers"], text: string): Answer => {
  const at = (path: string): unknown =>
    path
      .split(".")
      .reduce<unknown>((value, key) => (Predicate.hasProperty(value, key) ? value[key] : undefined), JSON.parse(text))
  const string = (path: string): string => {
    const value = at(path)
    if (typeof value !== "string") throw new Error(`${path} is no text in ${status} ${text.slice(0, 500)}`)
    return value
  }
  return { status, headers, text, json: () => JSON.parse(text), at, string }
}

const startUnder = async (
  scope: Scope.Closeable,
  folder: string,
  databaseUrl: string,
  settings: Partial<WebSettings>,
  hear?: (line: string) => void
) => {
  const files = await Effect.runPromise(ensureAuthority(join(folder, "pki")))
  await ensureSigningKey(join(folder, "jwt.ed25519.pem"))
  const consoleDirectory = join(folder, "console")
  mkdirSync(join(consoleDirectory, "assets"), { recursive: true })
  writeFileSync(join(consoleDirectory, "index.html"), "<!doctype html><title>console</title>")
  writeFileSync(join(consoleDirectory, "assets", "app.js"), "export {}")
  // The web process has its own role, with the second wall before operators; the test itself is the owner.
  const asWeb = { url: roleUrls(databaseUrl).web, applicationName: "test web", maxConnections: 8 }
  const database = Layer.merge(databaseLayer(asWeb), operatorsLayer({ ...asWeb, maxConnections: 4 }))
  const owner = databaseLayer({ url: databaseUrl, applicationName: "test", maxConnections: 2 })
  const web = WebServer.layer({
    bind: "127.0.0.1",
    port: 0,
    publicUrl,
    tls: { key: files.web.private_key_pem, cert: files.web.certificate_pem },
    consoleDirectory,
    jwtKeyFile: join(folder, "jwt.ed25519.pem"),
    managerAddress: "127.0.0.1",
    securityTargetDays: 14,
    standInFleet: true,
    passwordCost: testCost,
    rates: { ...widened(rateLimits, 1000), enrolment_request: rateLimits.enrolment_request },
    ...settings
  }).pipe(
    Layer.provide(Authority.layer(join(folder, "pki"))),
    Layer.provideMerge(database),
    Layer.provide(
      hear === undefined
        ? Layer.succeed(References.MinimumLogLevel, "None")
        : Layer.merge(Logger.layer([makeLogger("web", "json", hear)]), Layer.succeed(References.MinimumLogLevel, "All"))
    )
  )
  const services = await Effect.runPromise(Layer.buildWithScope(web, scope))
  const owning = await Effect.runPromise(Layer.buildWithScope(owner, scope))
  const run = <A, E>(effect: Effect.Effect<A, E, Layer.Success<typeof owner>>): Promise<A> =>
    Effect.runPromise(Effect.provideContext(effect, owning))
  const server = await Effect.runPromise(Effect.provideContext(HttpServer.HttpServer, services))
  const port = "port" in server.address ? server.address.port : 0
  return { files, run, port }
}

/** Rate limits are wide unless the settings say otherwise. It logs nothing, or everything to `hear`. */
export const startTestWeb = async (
  settings: Partial<WebSettings> = {},
  hear?: (line: string) => void,
  /** Another web process, whose database this one shares. */
  beside?: { readonly databaseUrl: string }
) => {
  const database = beside ? { url: beside.databaseUrl, drop: () => Promise.resolve() } : await makeTestDatabase()
  const folder = mkdtempSync(join(tmpdir(), "pm-http-"))
  const scope = Scope.makeUnsafe()
  const { files, run, port } = await startUnder(scope, folder, database.url, settings, hear)
  const ca = files.ca.certificate_pem
  const jwtKeyFile = join(folder, "jwt.ed25519.pem")

  const call = (method: string, path: string, options: CallOptions = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const payload = options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body))
      const sent = httpsRequest(
        {
          host: "127.0.0.1",
          port,
          servername: "localhost",
          ca,
          method,
          path,
          agent: options.agent ?? false,
          headers: {
            host: `localhost:${port}`,
            ...(payload === undefined
              ? {}
              : { "content-type": "application/json", "content-length": Buffer.byteLength(payload) }),
            ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
            ...options.headers
          }
        },
        (response) => {
          const chunks: Array<Buffer> = []
          response.on("data", (chunk: Buffer) => chunks.push(chunk))
          response.on("error", reject)
          response.on("end", () => {
            const text = Buffer.concat(chunks).toString("utf8")
            resolve(answerOf(response.statusCode ?? 0, response.headers, text))
          })
        }
      )
      sent.setTimeout(30_000, () => sent.destroy(new Error(`${method} ${path} was not answered within 30 s`)))
      sent.on("error", reject)
      sent.end(payload)
    })

  const addUser = (username: string, role: Role) =>
    run(createUser({ username, displayName: username, role, password, cost: testCost }))

  /** With the password alone: what follows depends on the account's second factors. */
  const login = async (username: string, headers: Record<string, string> = {}) => {
    const answer = await call("POST", "/api/v1/auth/login", { body: { username, password }, headers })
    const cookie = String(answer.headers["set-cookie"]?.[0] ?? "").split(";")[0] ?? ""
    return { token: String(answer.at("access_token")), cookie, answer }
  }

  /** A full session, fresh, without asking for a second factor; or one in an earlier stage. */
  const signIn = (username: string, beginning?: Beginning) =>
    run(mintSession({ jwtKeyFile, publicUrl }, username, beginning))

  const tokenFor = (username: string) => run(createToken({ username, name: "test", expiresIn: "1 hour" }))

  /** Looks past the product at the rows. */
  const client = testClient(database.url)
  await client.connect()
  const rows = async <Row>(statement: string, values: ReadonlyArray<unknown> = []): Promise<ReadonlyArray<Row>> =>
    (await client.query(statement, [...values])).rows

  let keys = 0
  const addHost = async (token: string, body: object) => {
    const answer = await call("POST", "/api/v1/hosts", {
      token,
      body,
      headers: { "idempotency-key": `host-${++keys}` }
    })
    if (answer.status !== 201) throw new Error(`The host was not registered: ${answer.status} ${answer.text}`)
    return answer.string("id")
  }

  const stop = async (): Promise<void> => {
    await client.end()
    await Effect.runPromise(Scope.close(scope, Exit.void))
    await database.drop()
    rmSync(folder, { recursive: true, force: true })
  }

  return {
    call,
    run,
    rows,
    port,
    ca,
    jwtKeyFile,
    addUser,
    addHost,
    login,
    signIn,
    tokenFor,
    databaseUrl: database.url,
    stop
  }
}

export type TestWeb = Awaited<ReturnType<typeof startTestWeb>>
