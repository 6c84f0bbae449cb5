/** The web process' inside on a world's database, over real HTTPS, with an administrator signed in. */
import { request as httpsRequest } from "node:https"
import { createServer, type AddressInfo } from "node:net"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, Fiber, Logger, Redacted } from "effect"
import { ensureAuthority } from "#actors/pki/ensureAuthority.ts"
import { rateLimits, widened } from "#core/Limits.ts"
import { web } from "#deploy/layers.ts"
import { createUser } from "#http/server/createUser.ts"
import { leastCost } from "#http/server/passwordCost.ts"
import { ensureSigningKey } from "#http/server/signingKeyFile.ts"
import { findByUsername } from "#sql/UserStore.ts"
import { writePasswordCost } from "#sql/PasswordCost.ts"
import { mintSession } from "#test/setup/mintSession.ts"
import { roleUrls } from "#test/setup/roleUrls.ts"
import type { World } from "./World.ts"

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

/** Where what these calls make is found. */
const tables: Readonly<Record<string, string>> = {
  "/api/v1/jobs": "patch_jobs",
  "/api/v1/hosts": "hosts",
  "/api/v1/groups": "groups"
}

export interface Web {
  readonly origin: string
  readonly password: string
  readonly caPem: string
  /** Fails unless the answer is 2xx. */
  readonly call: <A>(method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<A>
  /** The administrator's refresh cookie, as a browser would send it. */
  readonly cookie: string
  /** A full session of somebody else, without asking for a second factor. */
  readonly signInAs: (username: string) => Promise<{ readonly token: string; readonly cookie: string }>
  readonly stop: () => Promise<void>
}

const password = "a password of the test"

/** What a web process finds when it starts: keys, a console and the administrator. */
export const prepareWeb = async (world: World, consoleDirectory?: string) => {
  const files = await Effect.runPromise(ensureAuthority(world.secretsDir))
  const jwtKeyFile = join(world.secretsDir, "jwt.ed25519.pem")
  await ensureSigningKey(jwtKeyFile)
  const console = consoleDirectory ?? join(world.secretsDir, "console")
  if (consoleDirectory === undefined) {
    mkdirSync(console, { recursive: true })
    writeFileSync(join(console, "index.html"), "<!doctype html><title>console</title>")
  }
  const known = await world.run(findByUsername("admin"))
  if (known === null) {
    // As if it had been measured: that would take each test a second.
    await world.run(writePasswordCost({ ...leastCost, millis: 0 }))
    await world.run(createUser({ username: "admin", displayName: "Administrator", role: "admin", password }))
  }
  return { files, jwtKeyFile, console }
}

/** Calls of the administrator, who signs in first. */
export const signIn = async (
  world: World,
  port: number,
  caPem: string,
  publicUrl = `https://localhost:${port}`
): Promise<Omit<Web, "stop">> => {
  const origin = `https://localhost:${port}`
  let token: string | undefined
  const call = <A>(method: string, path: string, body?: unknown, more: Record<string, string> = {}): Promise<A> =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body)
      const sent = httpsRequest(
        {
          host: "127.0.0.1",
          port,
          servername: "localhost",
          ca: caPem,
          agent: false,
          method,
          path,
          headers: {
            host: `localhost:${port}`,
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...(text === undefined
              ? {}
              : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
            ...(method === "POST" ? { "idempotency-key": crypto.randomUUID() } : {}),
            ...more
          }
        },
        (response) => {
          let answer = ""
          response.setEncoding("utf8")
          response.on("data", (chunk: string) => (answer += chunk))
          response.on("end", () => {
            const status = response.statusCode ?? 0
            if (status >= 300) return reject(new Error(`${method} ${path} was answered ${status}: ${answer}`))
            const content: unknown = answer === "" ? undefined : JSON.parse(answer)
            const table = method === "POST" ? tables[path] : undefined
            if (table !== undefined) world.acknowledged.push({ table, id: (content as { id: string }).id })
            resolve(content as A)
          })
        }
      )
      sent.setTimeout(10_000, () => sent.destroy(new Error(`${method} ${path} was not answered`)))
      sent.on("error", reject)
      sent.end(text)
    })

  const signInAs = async (username: string) => {
    const jwtKeyFile = join(world.secretsDir, "jwt.ed25519.pem")
    return world.run(mintSession({ jwtKeyFile, publicUrl }, username))
  }
  const session = await signInAs("admin")
  token = session.token

  return { origin, password, caPem, call, cookie: session.cookie, signInAs }
}

/** `ownRole`: with the web process' own database role and the second wall, as `npm start` runs it, and not as the owner. */
export const startWeb = async (world: World, consoleDirectory?: string, ownRole = false): Promise<Web> => {
  const { files, jwtKeyFile, console } = await prepareWeb(world, consoleDirectory)
  const port = await freePort()
  const origin = `https://localhost:${port}`
  let fiber: Fiber.Fiber<unknown, unknown> | undefined
  await new Promise<void>((resolve, reject) => {
    fiber = Effect.runFork(
      web(
        {
          databaseUrl: Redacted.make(ownRole ? roleUrls(world.url).web : world.url),
          ...(ownRole ? { databaseRoles: "separate" as const } : {}),
          secretsDir: world.secretsDir,
          settings: {
            bind: "127.0.0.1",
            port,
            publicUrl: origin,
            tls: { key: files.web.private_key_pem, cert: files.web.certificate_pem },
            consoleDirectory: console,
            jwtKeyFile,
            managerAddress: "127.0.0.1",
            securityTargetDays: 14,
            standInFleet: true,
            rates: widened(rateLimits, 1000)
          }
        },
        Effect.sync(resolve)
      ).pipe(Effect.provide(Logger.layer([])))
    )
    fiber.addObserver((exit) => {
      if (exit._tag === "Failure") reject(new Error(String(exit.cause)))
    })
  })

  return {
    ...(await signIn(world, port, files.ca.certificate_pem)),
    stop: async () => {
      if (fiber !== undefined) await Effect.runPromise(Fiber.interrupt(fiber))
    }
  }
}
