/** What an instance gets on its first start: certificates, the keys that sign sign-ins and seal secrets, and the first administrator. */
import { randomInt } from "node:crypto"
import { chmod, copyFile, mkdir, rename, writeFile } from "node:fs/promises"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { ensureAuthority } from "#actors/pki/ensureAuthority.ts"
import { columnKeyFile, ensureColumnKey } from "#http/server/ColumnCipher.ts"
import { ensurePasswordCost } from "#http/server/passwordCost.ts"
import { hashPassword } from "#http/server/PasswordHasher.ts"
import { ensureSigningKey } from "#http/server/signingKeyFile.ts"
import type { AuditOrigin } from "#sql/AuditStore.ts"
import { layer as databaseLayer } from "#sql/Database.ts"
import { addFirstDiscoveryNetwork } from "#sql/DiscoveryStore.ts"
import { findByUsername, insertUser } from "#sql/UserStore.ts"
import type { ConfigValues } from "./Config.ts"
import { dataFiles } from "./DataDirectory.ts"

const letters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"

/** 24 characters without look-alikes: about 138 bits. */
const randomPassword = (): string =>
  Array.from({ length: 24 }, () => letters[randomInt(letters.length)])
    .join("")
    .replaceAll(/(.{6})(?!$)/g, "$1-")

const writeSecret = async (path: string, text: string): Promise<void> => {
  await writeFile(`${path}.new`, text, { mode: 0o600 })
  await chmod(`${path}.new`, 0o600)
  await rename(`${path}.new`, path)
}

/** Who acts here, as the audit log names it. */
const start: AuditOrigin = {
  actor: { kind: "machine", id: "start", name: "first start" },
  request_id: "start",
  source_address: "local"
}

const ensureAdministrator = (passwordFile: string) =>
  Effect.gen(function* () {
    if ((yield* findByUsername("admin")) !== null) return {}
    const adminPassword = randomPassword()
    // In the file before the account exists: a crash in between must not leave an administrator nobody can sign in as.
    yield* Effect.promise(() => writeSecret(passwordFile, `${adminPassword}\n`))
    yield* insertUser(start, {
      username: "admin",
      display_name: "Administrator",
      role: "admin",
      password_hash: yield* hashPassword(adminPassword, yield* ensurePasswordCost),
      must_change_password: true
    })
    return { adminPassword }
  })

/** Idempotent. The password is answered only when the administrator was made by this call. */
export const firstRun = async (config: ConfigValues): Promise<{ readonly adminPassword?: string }> => {
  const files = dataFiles(config.dataDir)
  await mkdir(files.secrets, { recursive: true, mode: 0o700 })
  await Effect.runPromise(ensureAuthority(files.secrets, { publicNames: [new URL(config.web.publicUrl).hostname] }))
  await ensureSigningKey(files.jwtKey)
  await ensureColumnKey(columnKeyFile(files.jwtKey))
  await copyFile(`${files.secrets}/ca.pem`, files.caCertificate)
  const { webUrl } = config.database
  if (webUrl === undefined) throw new Error("The first run needs a database.")
  const database = databaseLayer({
    url: Redacted.value(webUrl),
    applicationName: "patch-manager first run",
    maxConnections: 1
  })
  const first = Effect.gen(function* () {
    // With the stand-in fleet there is something to discover on loopback, and nothing else of anybody's.
    if (config.fleet.hosts > 0) yield* addFirstDiscoveryNetwork(start, "127.0.0.0/8")
    return yield* ensureAdministrator(files.initialAdminPassword)
  })
  return Effect.runPromise(first.pipe(Effect.provide(database)))
}
