/** Requests that nobody would write, from a seed: over every route of the contract, shaped by its schemas or by nothing. */
import { Predicate } from "effect"
import { OpenApi } from "effect/http-api"
import { Api } from "#http/api/Api.ts"

export interface FuzzRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer | null
}

/** Mulberry32: the same seed gives the same requests. */
export const seeded = (seed: number) => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (most: number): number => Math.floor(next() * most)
  return {
    next,
    below,
    pick: <A>(list: ReadonlyArray<A>): A => list[below(list.length)]!,
    chance: (part: number) => next() < part
  }
}
export type Seeded = ReturnType<typeof seeded>

const spec = OpenApi.fromApi(Api)

interface Operation {
  readonly method: string
  readonly path: string
  readonly query: ReadonlyArray<{ readonly name: string; readonly schema: unknown }>
  readonly headers: ReadonlyArray<{ readonly name: string; readonly schema: unknown }>
  readonly body: unknown
}

const methods = ["get", "post", "put", "patch", "delete"] as const

export const operations: ReadonlyArray<Operation> = Object.entries(spec.paths).flatMap(([path, item]) =>
  methods.flatMap((method) => {
    const found = item[method]
    if (found === undefined) return []
    const of = (place: string) => found.parameters.filter((one) => one.in === place)
    return [
      {
        method: method.toUpperCase(),
        path,
        query: of("query"),
        headers: of("header"),
        body: found.requestBody?.content["application/json"]?.schema ?? null
      }
    ]
  })
)

const nasty: ReadonlyArray<unknown> = [
  null,
  true,
  false,
  0,
  -1,
  1e308,
  -0,
  2 ** 53,
  2 ** 31,
  0.1,
  "",
  " ",
  "\u0000",
  "\ud800",
  "\u202e",
  "'; drop table hosts; --",
  "%00",
  "../../etc/passwd",
  "${jndi:ldap://x}",
  "{{7*7}}",
  "<script>alert(1)</script>",
  "a".repeat(300),
  "a".repeat(5000),
  "١٢٣",
  "1e5",
  "NaN",
  "2026-02-30T25:61:00Z",
  "-1",
  "0x10",
  "[]",
  "{}",
  [],
  {},
  [[]],
  [null],
  { a: { b: {} } },
  JSON.parse('{"__proto__":{"a":1},"constructor":1}'),
  "admin",
  "\r\nx: y",
  "*",
  "\\",
  "0".repeat(40)
]

const format = (random: Seeded, name: string): string => {
  switch (name) {
    case "uuid":
      return `01a2${random.below(65_536).toString(16).padStart(4, "0")}-e652-72f9-b45c-117b1e318cc9`
    case "date-time":
      return new Date(1_790_000_000_000 + random.below(1e9)).toISOString()
    default:
      return "text"
  }
}

/** A value that fits the JSON schema about, and now and then does not fit it at all. */
export const valueOf = (random: Seeded, schema: unknown, depth = 0): unknown => {
  if (random.chance(0.04) || depth > 6 || !Predicate.isObject(schema)) return random.pick(nasty)
  if (Predicate.hasProperty(schema, "$ref")) {
    const name = String(schema.$ref).split("/").at(-1) ?? ""
    return valueOf(random, spec.components.schemas[name], depth + 1)
  }
  for (const key of ["anyOf", "oneOf"] as const) {
    if (Predicate.hasProperty(schema, key) && Array.isArray(schema[key])) {
      return valueOf(random, random.pick(schema[key] as ReadonlyArray<unknown>), depth + 1)
    }
  }
  if (Predicate.hasProperty(schema, "enum") && Array.isArray(schema.enum)) return random.pick(schema.enum)
  if (Predicate.hasProperty(schema, "const")) return schema.const
  switch (Predicate.hasProperty(schema, "type") ? schema.type : undefined) {
    case "object": {
      const found: Record<string, unknown> = {}
      if (Predicate.hasProperty(schema, "properties") && Predicate.isObject(schema.properties)) {
        for (const [name, field] of Object.entries(schema.properties)) {
          if (random.chance(0.8)) found[name] = valueOf(random, field, depth + 1)
        }
      }
      if (random.chance(0.05))
        found[random.pick(["id", "role", "__proto__", "isAdmin", "\u0000", "version"])] = random.pick(nasty)
      return found
    }
    case "array": {
      const items = Predicate.hasProperty(schema, "items") ? schema.items : {}
      return Array.from({ length: random.chance(0.01) ? 600 : random.below(4) }, () =>
        valueOf(random, items, depth + 1)
      )
    }
    case "integer":
      return random.pick([0, 1, 2, 5, 30, 60, 100, 500, 12443, 86_400, -1, 99_999_999, 1.5])
    case "number":
      return random.pick([0, 1, -1, 0.5, 1e300])
    case "boolean":
      return random.chance(0.5)
    case "null":
      return null
    default: {
      const name = Predicate.hasProperty(schema, "format") ? String(schema.format) : ""
      if (name !== "") return format(random, name)
      return random.pick([
        "web-01",
        "127.0.0.9",
        "10.1.0.0/24",
        "host.example.org",
        "admin",
        "nginx",
        "openssl",
        "Europe/Berlin",
        "* * * * *",
        format(random, "uuid"),
        format(random, "date-time"),
        String(random.pick(nasty))
      ])
    }
  }
}

const bytes = (random: Seeded, most: number): Buffer =>
  Buffer.from(Array.from({ length: random.below(most) }, () => random.below(256)))

/** Characters that an HTTP client may put in a header. */
const headerText = (value: unknown): string =>
  String(value)
    .replaceAll(/[^\x20-\x7e]/g, "?")
    .slice(0, 400)

const noisyHeaders = [
  "accept",
  "origin",
  "cookie",
  "x-forwarded-for",
  "forwarded",
  "sec-fetch-site",
  "user-agent",
  "range",
  "if-none-match",
  "upgrade-insecure-requests",
  "x-http-method-override",
  "accept-encoding",
  "te"
]

/** Each of these costs a quarter of a second of hashing, so they come a tenth as often. */
const hashes = /\/(login|password|reset-password|break-glass|recovery-code|recovery-codes|step-up)$|\/users$/

/** `ids`: things that exist, so that some requests get far. */
export const fuzzRequest = (random: Seeded, tokens: ReadonlyArray<string>, ids: ReadonlyArray<string>): FuzzRequest => {
  const first = random.pick(operations)
  const operation = hashes.test(first.path) && random.chance(0.9) ? random.pick(operations) : first
  const id = (): string =>
    random.chance(0.5) ? random.pick(ids) : encodeURIComponent(String(random.pick(nasty)).toWellFormed().slice(0, 400))
  let path = operation.path.replaceAll(/\{[^}]+\}/g, id)
  const query = operation.query
    .filter(() => random.chance(0.4))
    .map(
      ({ name, schema }) =>
        `${name}=${encodeURIComponent(
          String(valueOf(random, schema) ?? "")
            .toWellFormed()
            .slice(0, 1000)
        )}`
    )
  if (query.length > 0) path += `?${query.join("&")}`
  const kind = random.next()
  if (kind < 0.03) path = `/${bytes(random, 60).toString("base64url").replaceAll("-", "/")}`
  else if (kind < 0.05)
    path = `${path}${random.pick(["/", "//", "/..", "%2f", "%", "%zz", ";a=b", "?", "?a[]=1&a[]=2", "#x"])}`
  const headers: Record<string, string> = {}
  const token = random.pick(tokens)
  if (token !== "") headers["authorization"] = random.chance(0.02) ? headerText(random.pick(nasty)) : `Bearer ${token}`
  for (const { name, schema } of operation.headers) {
    if (random.chance(0.9))
      headers[name] =
        name === "if-match"
          ? `"${random.below(6)}"`
          : name === "idempotency-key"
            ? `f-${random.below(1e9)}`
            : headerText(valueOf(random, schema))
  }
  if (random.chance(0.1)) headers[random.pick(noisyHeaders)] = headerText(random.pick(nasty))
  const method = random.chance(0.02)
    ? random.pick(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
    : operation.method
  if (method === "GET" || method === "HEAD" || method === "OPTIONS") return { method, path, headers, body: null }
  if (operation.body === null && !random.chance(0.1)) return { method, path, headers, body: null }
  headers["content-type"] = random.chance(0.03)
    ? headerText(
        random.pick(["text/plain", "application/json; charset=latin1", "x/y", "application/x-www-form-urlencoded"])
      )
    : "application/json"
  const shape = random.next()
  if (shape < 0.04) return { method, path, headers, body: bytes(random, 200) }
  const text = JSON.stringify(valueOf(random, operation.body)) ?? "null"
  if (shape < 0.08) return { method, path, headers, body: text.slice(0, random.below(text.length + 1)) }
  if (shape < 0.11) {
    const broken = Buffer.from(text)
    if (broken.length > 0) broken[random.below(broken.length)] = random.below(256)
    return { method, path, headers, body: broken }
  }
  return { method, path, headers, body: text }
}
