/** Tokens themselves: that they cannot be forged, guessed, told apart by time, or found where they do not belong. */
import { createHash, createHmac, generateKeyPairSync, sign } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as jose from "jose"
import { afterAll, beforeAll, expect } from "vitest"
import { projectRoot } from "#deploy/projectRoot.ts"
import { columnKeyFile } from "#http/server/ColumnCipher.ts"
import { randomToken, tokenHash } from "#http/server/opaqueToken.ts"
import { readSigningKey } from "#http/server/signingKeyFile.ts"
import { findToken } from "#sql/TokenStore.ts"
import { startTestWeb, type TestWeb } from "#test/http/TestWeb.ts"
import { securityRow } from "./securityRow.ts"
import { cookieOf } from "./signInSteps.ts"

let web: TestWeb
beforeAll(async () => {
  web = await startTestWeb()
  await web.addUser("admin", "admin")
})
afterAll(() => web.stop())

const me = (token: string) => web.call("GET", "/api/v1/auth/me", { token })
const part = (value: object | string): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url")

/** The product's own sources. */
const sources = (folder: string): ReadonlyArray<string> =>
  readdirSync(join(projectRoot, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(projectRoot, folder, name))

securityRow("S91", "Forged JWTs", async (row) => {
  const { token, cookie } = await web.signIn("admin")
  const claims = jose.decodeJwt(token)
  const { privateKey, publicKey, kid } = await readSigningKey(web.jwtKeyFile)
  const publicPem = publicKey.export({ type: "spki", format: "pem" }).toString()
  const header = { alg: "EdDSA", typ: "at+jwt", kid }
  const [head = "", body = "", signature = ""] = token.split(".")
  /** Signed with the right key, whatever it says. */
  const signed = (text: string | object, payload: object = claims) => {
    const first = `${part(text)}.${part(payload)}`
    return `${first}.${sign(null, Buffer.from(first), privateKey).toString("base64url")}`
  }
  const hmac = (key: string, more: object = {}) => {
    const first = `${part({ ...header, alg: "HS256", ...more })}.${body}`
    return `${first}.${createHmac("sha256", key).update(first).digest("base64url")}`
  }
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 })
  const other = generateKeyPairSync("ed25519").privateKey
  expect((await me(signed(header))).status).toBe(200)
  const refused = (clause: string, ...tokens: ReadonlyArray<string>) =>
    row.assert(clause, async () => {
      for (const one of tokens) expect([one.slice(0, 60), (await me(one)).status]).toEqual([one.slice(0, 60), 401])
    })
  await refused(
    "none",
    `${part({ ...header, alg: "none" })}.${body}.`,
    `${part({ ...header, alg: "None" })}.${body}.${signature}`,
    `${head}.${body}.`,
    `${head}.${body}`
  )
  await refused("HS256", hmac(publicPem), hmac(publicPem.trim()), hmac(""), hmac(web.ca))
  const rs = `${part({ ...header, alg: "RS256" })}.${body}`
  await refused("RS256", `${rs}.${sign("sha256", Buffer.from(rs), rsa.privateKey).toString("base64url")}`)
  await refused(
    "EdDSA by another key",
    await new jose.SignJWT(claims).setProtectedHeader(header).sign(other),
    await new jose.SignJWT(claims).setProtectedHeader({ ...header, jwk: await jose.exportJWK(other) }).sign(other)
  )
  await refused(
    "kid with path or SQL",
    ...["../../etc/passwd", "' or 1=1 --", `${kid}' or '1'='1`, "", `${kid}\u0000`].map((one) =>
      signed({ ...header, kid: one })
    )
  )
  await refused("two kid", signed(`{"alg":"EdDSA","typ":"at+jwt","kid":"${kid}","kid":"other"}`))
  await refused("no kid", signed({ alg: "EdDSA", typ: "at+jwt" }))
  await refused(
    "crit, jku, x5u and other header fields",
    signed({ ...header, crit: ["exp"] }),
    signed({ ...header, jku: "https://evil.example/keys" }),
    signed({ ...header, x5u: "https://evil.example/cert" }),
    signed({ ...header, b64: false, crit: ["b64"] })
  )
  await refused(
    "altered claims",
    `${head}.${part({ ...claims, exp: (claims.exp ?? 0) + 9999 })}.${signature}`,
    `${head}.${part({ ...claims, sub: "01a200e4-e652-72f9-b45c-117b1e318cc9" })}.${signature}`,
    signed(header, { ...claims, sub: "01a200e4-e652-72f9-b45c-117b1e318cc9" }),
    signed(header, { ...claims, sid: "01a200e4-e652-72f9-b45c-117b1e318cc9" }),
    signed(header, { ...claims, iss: "https://evil.example" })
  )
  await refused("another type of token", signed({ ...header, typ: "JWT" }))
  await refused("refresh token used as access token", cookie.slice(cookie.indexOf("=") + 1))
  await refused(
    "token of the other audience (agent against web)",
    signed(header, { ...claims, aud: "agent" }),
    signed(header, { ...claims, aud: undefined })
  )
  await row.assert("a key that was put out of use opens nothing more", async () => {
    await web.rows("update signing_keys set created_at = now() - interval '91 days' where ends_at is null")
    const next = (await web.signIn("admin")).token
    // The process looks for a key it does not know once a second at most.
    await expect.poll(async () => (await me(next)).status, { timeout: 5000, interval: 300 }).toBe(200)
    expect((await me(token)).status).toBe(200)
    await web.rows("update signing_keys set ends_at = now() - interval '1 second' where kid = $1", [kid])
    // A name that nobody knows makes the process look at the keys again.
    await expect
      .poll(
        async () => {
          await me(signed({ ...header, kid: randomToken() }))
          return (await me(token)).status
        },
        { timeout: 5000, interval: 300 }
      )
      .toBe(401)
    expect((await me(next)).status).toBe(200)
  })
})

securityRow("S88", "Keys and tokens are nobody else's", async (row) => {
  await row.assert("10,000 tokens: no repeat, at least 128 bit", () => {
    const tokens = Array.from({ length: 10_000 }, randomToken)
    expect(new Set(tokens).size).toBe(10_000)
    expect(new Set(tokens.map((one) => Buffer.from(one, "base64url").length))).toEqual(new Set([32]))
    const ones = tokens.reduce(
      (sum, one) =>
        sum +
        Buffer.from(one, "base64url").reduce((bits, byte) => bits + byte.toString(2).replaceAll("0", "").length, 0),
      0
    )
    expect(Math.abs(ones / (10_000 * 256) - 0.5)).toBeLessThan(0.002)
  })
  await row.assert("two fresh installs share no key, token, certificate or id", async () => {
    const other = await startTestWeb()
    row.after(() => other.stop())
    await other.addUser("admin", "admin")
    const [ours, theirs] = await Promise.all(
      [web, other].map(async (one) => {
        const { token, cookie, session } = await one.signIn("admin")
        const [user] = await one.rows<{ id: string; password_hash: string }>("select id, password_hash from users")
        const api = await one.tokenFor("admin")
        const { kid } = await readSigningKey(one.jwtKeyFile)
        const column = readFileSync(columnKeyFile(one.jwtKeyFile), "utf8").trim().split(" ")[1]
        return { column, token, cookie, session, kid, ca: one.ca, api, id: user!.id, hash: user!.password_hash }
      })
    )
    for (const key of ["column", "token", "cookie", "session", "kid", "ca", "api", "id", "hash"] as const) {
      expect([key, ours![key] === theirs![key]]).toEqual([key, false])
    }
    expect(ours!.hash.split("$")[4]).not.toBe(theirs!.hash.split("$")[4])
    expect((await other.call("GET", "/api/v1/auth/me", { token: ours!.token })).status).toBe(401)
    expect((await other.call("GET", "/api/v1/auth/me", { token: ours!.api })).status).toBe(401)
  })
  await row.assert("Math.random in security code: there is none in what signs people in or keeps keys", () => {
    const files = ["http", "sql", "actors/pki", "actors/audit"].flatMap(sources)
    expect(files.length).toBeGreaterThan(100)
    expect(files.filter((file) => readFileSync(file, "utf8").includes("Math.random"))).toEqual([])
  })
})

securityRow("S90", "Comparing secrets", async (row) => {
  const known = await web.tokenFor("admin")
  await row.assert("tokens are looked up by their hash, and none lies in the database", async () => {
    const { cookie, token } = await web.signIn("admin")
    const next = await web.call("POST", "/api/v1/auth/refresh", { headers: { cookie } })
    const ticket = (await web.call("POST", "/api/v1/ws/ticket", { token })).string("ticket")
    const secrets = [known, ticket, token, ...[cookie, cookieOf(next)].map((one) => one.slice(one.indexOf("=") + 1))]
    const tables = await web.rows<{ name: string }>(
      "select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'"
    )
    for (const { name } of tables) {
      const rows = await web.rows<{ text: string }>(`select t::text as text from "${name}" t`)
      const all = rows.map(({ text }) => text).join("\n")
      // Bytes are shown in hexadecimal.
      for (const secret of secrets.flatMap((one) => [
        one,
        Buffer.from(one).toString("hex"),
        Buffer.from(one, "base64url").toString("hex")
      ]))
        expect([name, all.includes(secret)]).toEqual([name, false])
    }
    const hashes = await web.rows<{ hash: Buffer }>("select token_hash as hash from api_tokens")
    expect(hashes.some(({ hash }) => hash.equals(createHash("sha256").update(known).digest()))).toBe(true)
  })
  await row.assert("no === on a token, code, hash or signature in the sources", () => {
    const secretName = String.raw`\w*(?:secret|signature|digest|password|token_?hash|code_?hash|ticket_?hash|refreshToken)\w*`
    const comparison = new RegExp(
      String.raw`\b${secretName}(?:\.\w+)?\s*(?:===|!==)(?!\s*(?:null|undefined|true|false|"")(?!\w))`,
      "i"
    )
    const found = ["http/server", "sql", "actors/pki"].flatMap(sources).flatMap((file) =>
      readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => comparison.test(line) && !/^\s*(\*|\/\/)/.test(line))
        .map((line) => `${file.slice(projectRoot.length + 1)}: ${line.trim()}`)
    )
    expect(found).toEqual([])
  })
  await row.assert("statistical test over 100,000 tries shows no prefix signal", async () => {
    const near = () => `${known.slice(0, -8)}${randomToken().slice(0, 8)}`
    const far = () => `lpm_${randomToken()}`
    const times: Record<"near" | "far", Array<number>> = { near: [], far: [] }
    const attempt = async (kind: "near" | "far") => {
      const hash = tokenHash(kind === "near" ? near() : far())
      const began = performance.now()
      expect(await web.run(findToken(hash))).toBe(null)
      times[kind].push(performance.now() - began)
    }
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let round = 0; round < 6250; round++) {
          await attempt("near")
          await attempt("far")
        }
      })
    )
    const median = (values: Array<number>) => values.toSorted((a, b) => a - b)[values.length >> 1]!
    const [a, b] = [median(times.near), median(times.far)]
    expect(times.near.length + times.far.length).toBe(100_000)
    expect(Math.abs(a - b) / b).toBeLessThan(0.05)
  })
})
