/** The whole web process on a database of its own, over real HTTPS on a free port. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { request as httpsRequest } from "node:https"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Exit, Layer, Scope } from "effect"
import { HttpServer } from "effect/http"
import { Authority } from "#actors/pki/Authority.ts"
import { ensureAuthority } from "#actors/pki/ensureAuthority.ts"
import type { Role } from "#core/Permission.ts"
import { createToken } from "#http/server/createToken.ts"
import { createUser } from "#http/server/createUser.ts"
import { ensureSigningKey } from "#http/server/SigningKey.ts"
import * as WebServer from "#http/server/WebServer.ts"
import { layer as databaseLayer } from "#sql/Database.ts"
import { makeTestDatabase } from "#test/setup/Database.ts"

export const password = "correct horse battery staple"

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly text: string
  /** The body as JSON. */
  readonly json: () => any
}

export interface CallOptions {
  readonly token?: string
  readonly body?: unknown
  /** Sent as it is, instead of `body` as JSON. */
  readonly raw?: string
  readonly headers?: Readonly<Record<string, string>>
}

const startUnder = async (scope: Scope.Closeable, folder: string, databaseUrl: string) => {
  const files = await Effect.runPromise(ensureAuthority(join(folder, "pki")))
  await ensureSigningKey(join(folder, "jwt.ed25519.pem"))
  const consoleDirectory = join(folder, "console")
  const { mkdirSync } = await import("node:fs")
  mkdirSync(join(consoleDirectory, "assets"), { recursive: true })
  writeFileSync(join(consoleDirectory, "index.html"), "<!doctype html><title>console</title>")
  writeFileSync(join(consoleDirectory, "assets", "app.js"), "export {}")
  const database = databaseLayer({ url: databaseUrl, applicationName: "test web", maxConnections: 8 })
  const web = WebServer.layer({
    bind: "127.0.0.1",
    port: 0,
    publicUrl: "https://localhost:8443",
    tls: { key: files.web.private_key_pem, cert: files.web.certificate_pem },
    consoleDirectory,
    jwtKeyFile: join(folder, "jwt.ed25519.pem"),
    managerAddress: "127.0.0.1",
    securityTargetDays: 14
  }).pipe(Layer.provide(Authority.layer(join(folder, "pki"))), Layer.provideMerge(database))
  const services = await Effect.runPromise(Layer.buildWithScope(web, scope))
  const run = <A, E>(effect: Effect.Effect<A, E, Layer.Success<typeof database>>): Promise<A> =>
    Effect.runPromise(Effect.provideContext(effect, services))
  const server = await Effect.runPromise(Effect.provideContext(HttpServer.HttpServer, services))
  const port = server.address._tag === "InetAddress" ? server.address.port : 0
  return { files, run, port }
}

export const startTestWeb = async () => {
  const database = await makeTestDatabase()
  const folder = mkdtempSync(join(tmpdir(), "pm-http-"))
  const scope = Scope.makeUnsafe()
  const { files, run, port } = await startUnder(scope, folder, database.url)
  const ca = files.ca.certificate_pem

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
          agent: false,
          headers: {
            host: `localhost:${port}`,
            ...(payload === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(payload) }),
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
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: () => JSON.parse(text) })
          })
        }
      )
      sent.setTimeout(15_000, () => sent.destroy(new Error(`${method} ${path} was not answered within 15 s`)))
      sent.on("error", reject)
      sent.end(payload)
    })

  const addUser = (username: string, role: Role) =>
    run(createUser({ username, displayName: username, role, password }))

  const signIn = async (username: string) => {
    const answer = await call("POST", "/api/v1/auth/login", { body: { username, password } })
    const cookie = String(answer.headers["set-cookie"]?.[0] ?? "").split(";")[0] ?? ""
    return { token: String(answer.json().access_token), cookie, answer }
  }

  const tokenFor = (username: string) => run(createToken({ username, name: "test", expiresIn: "1 hour" }))

  const stop = async (): Promise<void> => {
    await Effect.runPromise(Scope.close(scope, Exit.void))
    await database.drop()
    rmSync(folder, { recursive: true, force: true })
  }

  return { call, run, port, ca, addUser, signIn, tokenFor, databaseUrl: database.url, stop }
}

export type TestWeb = Awaited<ReturnType<typeof startTestWeb>>
