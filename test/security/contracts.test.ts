/** What holds of every route that takes a body, answers something or edits something, read off the contract. */
import { Context, Effect, Exit, Predicate, Schema, SchemaAST } from "effect"
import { HttpApi, HttpApiSchema } from "effect/http-api"
import { afterAll, beforeAll, expect } from "vitest"
import { AllowedStage } from "#http/api/AllowedStage.ts"
import { Api } from "#http/api/Api.ts"
import { RequiredPermission } from "#http/api/RequiredPermission.ts"
import { type AccessWorld, startAccessWorld } from "./accessWorld.ts"
import { securityRow } from "./securityRow.ts"

interface Contract {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly open: boolean
  readonly stage: "password" | "enrolling" | "either" | undefined
  /** Of the JSON body; null without one. */
  readonly body: Schema.Top | null
  readonly answer: Schema.Top | null
  readonly edits: boolean
}

const fieldsOf = (schema: Schema.Top | undefined | null): ReadonlyArray<string> => {
  if (schema === undefined || schema === null) return []
  const encoded = SchemaAST.toEncoded(schema.ast)
  return encoded._tag === "Objects" ? encoded.propertySignatures.map(({ name }) => String(name)) : []
}

/** Without the headers that some answers come with. */
const bodyOf = (schema: Schema.Top | undefined): Schema.Top | null =>
  Predicate.hasProperty(schema, HttpApiSchema.WithHeadersTypeId) && Predicate.hasProperty(schema, "schema")
    ? (schema.schema as Schema.Top)
    : (schema ?? null)

const contracts: Array<Contract> = []
HttpApi.reflect(Api, {
  onGroup: () => undefined,
  onEndpoint: ({ endpoint, successes }) => {
    const path = endpoint.path.replace(/(.)\/$/, "$1")
    const json = endpoint.method === "GET" ? undefined : endpoint.payload.get("application/json")
    contracts.push({
      name: `${endpoint.method} ${path}`,
      method: endpoint.method,
      path,
      open: Context.get(endpoint.annotations, RequiredPermission) === "public",
      stage: Context.get(endpoint.annotations, AllowedStage),
      body: json?.schemas[0] ?? null,
      answer: bodyOf(successes.get(200)?.[0]),
      edits: fieldsOf(endpoint.headers).includes("if-match")
    })
  }
})

let world: AccessWorld
beforeAll(async () => {
  world = await startAccessWorld()
})
afterAll(() => world.web.stop())

/** An object that is there, for each kind of path. */
const there = (path: string): string => {
  const ids: ReadonlyArray<readonly [string, string]> = [
    ["/users/", world.ids.user],
    ["/hosts/", world.hosts.own],
    ["/groups/", world.groups.a],
    ["/windows/", world.ids.window],
    ["/holds/", world.ids.hold],
    ["/jobs/", world.ids.job],
    ["/sso/providers/", world.ids.provider]
  ]
  const id = ids.find(([part]) => path.includes(part))?.[1] ?? world.hosts.unknown
  return path.replaceAll(/:[a-z_]+/g, id)
}

/** Everything that can be edited, as one text. */
const state = async (): Promise<string> => {
  const tables =
    "users user_groups groups host_groups hosts maintenance_windows holds service_checks system_config azure_sso_config sso_mappings patch_jobs api_tokens"
  const texts = await Promise.all(
    tables
      .split(" ")
      .map((table) =>
        world.web.rows<{ text: string }>(
          `select coalesce(string_agg(t::text, E'\\n' order by t::text), '') as text from ${table} t`
        )
      )
  )
  return texts.map((rows) => rows[0]!.text).join("\n\n")
}

const foreignKeys: ReadonlyArray<string> = [
  "role",
  "groupId",
  "group_id",
  "id",
  "createdAt",
  "created_at",
  "mfa",
  "version",
  "isAdmin",
  "must_change_password",
  "password_hash",
  "__proto__",
  "constructor"
]

/** Agents of any version ask with what they have; what the manager does not know of it is dropped. */
const lenient = "POST /api/v1/enroll"

securityRow("S56", "Mass assignment", async (row) => {
  const before = await state()
  const bodies = contracts.filter(({ body, name }) => body !== null && name !== lenient)
  const tokens = {
    full: world.admin,
    password: (await world.web.signIn("free", { stage: "password", factor: null })).token,
    enrolling: (await world.web.signIn("free", { stage: "enrolling", factor: null })).token
  }
  const taken: Array<string> = []
  let asked = 0
  for (const contract of bodies) {
    const known = fieldsOf(contract.body)
    const token =
      tokens[contract.stage === undefined ? "full" : contract.stage === "either" ? "enrolling" : contract.stage]
    const extra = foreignKeys.filter((one) => !known.includes(one))
    // As text: an object literal would make __proto__ the prototype.
    const members = extra.map((key) => `${JSON.stringify(key)}:${key.length > 9 ? '{"isAdmin":true}' : '"admin"'}`)
    const answer = await world.web.call(contract.method, there(contract.path), {
      ...(contract.open ? {} : { token }),
      raw: `{${members.join(",")}}`,
      headers: { "idempotency-key": `s56-${++asked}`, "if-match": '"1"' }
    })
    const fields = answer.status === 422 ? (answer.at("error.details.fields") as ReadonlyArray<{ path: string }>) : []
    const paths = new Set(fields.map(({ path }) => path))
    // A body of one of several kinds is refused as a whole; everything else names each field.
    const unnamed = extra.filter((key) => !paths.has(`payload.${key}`) && !(known.length === 0 && paths.has("payload")))
    if (unnamed.length > 0)
      taken.push(`${contract.name} with ${unnamed.join(", ")}: ${answer.status} ${answer.text.slice(0, 300)}`)
  }
  await row.assert("every writable DTO with an extra field: refused as unknown, 422", () => {
    expect(bodies.length).toBeGreaterThan(30)
    expect(taken).toEqual([])
  })
  await row.assert("row unchanged", async () => expect(await state()).toBe(before))
  await row.assert("a change that is otherwise in order is refused whole", async () => {
    for (const [path, body] of [
      [`/api/v1/users/${world.ids.user}`, { display_name: "Mallory", isAdmin: true }],
      [`/api/v1/hosts/${world.hosts.own}`, { display_name: "mallory", id: world.hosts.other }],
      [`/api/v1/groups/${world.groups.a}`, { name: "Mallory", version: 99 }]
    ] as const) {
      const etag = String((await world.send(world.admin, "GET", path)).headers["etag"])
      expect((await world.send(world.admin, "PATCH", path, body, { "if-match": etag })).status).toBe(422)
    }
    expect(await state()).toBe(before)
  })
  await row.assert("an agent's request to join takes none of them over", async () => {
    const machine_id = "0123456789abcdef0123456789abcdef"
    const body = { machine_id, fqdn: "new.example.org", ip_address: "127.30.9.9", os_details: {} }
    const more = {
      state: "approved",
      host_id: world.hosts.own,
      decided_by: "admin",
      id: world.hosts.unknown,
      role: "admin"
    }
    expect((await world.web.call("POST", "/api/v1/enroll", { body: { ...body, ...more } })).status).toBe(202)
    const rows = await world.web.rows(
      "select state, host_id, decided_by, id::text <> $2 as own_id from enrolments where machine_id = $1",
      [machine_id, world.hosts.unknown]
    )
    expect(rows).toEqual([{ state: "pending", host_id: null, decided_by: null, own_id: true }])
  })
  await row.assert("Object.prototype unchanged", () => {
    expect(Predicate.hasProperty({}, "isAdmin")).toBe(false)
    expect(Object.keys(Object.prototype)).toEqual([])
  })
})

/** Names that may stand in an answer although they sound like a secret, each with why. */
const spoken: ReadonlyMap<string, string> = new Map([
  ["access_token", "the token that signing in is for"],
  ["token", "an API token, at its making only"],
  ["polling_token", "what an agent that asks to join goes on with"],
  ["ticket", "opens one socket once"],
  ["private_key_pem", "a host's key, at its issuing only"],
  ["server_key", "a host's key, for the machine that enrols"],
  ["temporary_password", "a first password, said once"],
  ["secret", "of an authenticator app, at its enrolment only"],
  ["totp_uri", "of an authenticator app, at its enrolment only"],
  ["plan_hash", "of a plan, no secret"],
  ["row_hash", "of a row of the audit log: that whoever reads it can check the chain"],
  ["prev_hash", "of the row before it"],
  ["hash", "of a plan, no secret"],
  ["must_change_password", "a yes or no"],
  ["has_client_secret", "a yes or no"]
])

securityRow("S57", "Response fields", async (row) => {
  const { web } = world
  const { token } = await web.signIn("bob")
  await web.tokenFor("bob")
  const id = world.ids.user
  const seed = "11".repeat(20)
  await web.rows(
    "insert into totp_secrets (id, user_id, secret_sealed, confirmed_at) values ($1, $1, decode($2, 'hex'), now())",
    [id, seed]
  )
  await web.rows("insert into recovery_codes (user_id, code_hash) values ($1, decode($2, 'hex'))", [
    id,
    "22".repeat(32)
  ])
  const hashes = await web.rows<{ text: string }>(
    `select password_hash as text from users where password_hash is not null
     union all select encode(token_hash, 'hex') from refresh_tokens union all select encode(token_hash, 'base64') from refresh_tokens
     union all select encode(token_hash, 'hex') from api_tokens union all select encode(client_secret, 'hex') from azure_sso_config
     union all select encode(client_secret, 'base64') from azure_sso_config where client_secret is not null`
  )
  const canaries = [
    ...hashes.flatMap(({ text }) => (text === null ? [] : [text.replaceAll("\n", "")])),
    seed,
    Buffer.from(seed, "hex").toString("base64"),
    "22".repeat(32),
    "canary-client-secret",
    "PRIVATE KEY",
    "$argon2"
  ]
  const reads = contracts.filter(({ method }) => method === "GET")
  const leaked: Array<string> = []
  const unsaid: Array<string> = []
  let read = 0
  for (const who of [world.admin, token, world.audrey]) {
    for (const contract of reads) {
      const answer = await web.call("GET", there(contract.path), contract.open ? {} : { token: who })
      for (const canary of canaries)
        if (answer.text.includes(canary)) leaked.push(`${contract.name}: ${canary.slice(0, 12)}`)
      const type = String(answer.headers["content-type"])
      if (answer.status !== 200 || contract.answer === null || !type.startsWith("application/json")) continue
      read += 1
      const exit = await Effect.runPromiseExit(
        Schema.decodeUnknownEffect(Schema.toCodecJson(contract.answer as Schema.Codec<unknown, unknown>))(
          answer.json(),
          {
            onExcessProperty: "error",
            errors: "all"
          }
        )
      )
      if (Exit.isFailure(exit)) unsaid.push(`${contract.name}: ${String(exit.cause).slice(0, 300)}`)
    }
  }
  await row.assert("hash, TOTP seed, key material: absent for all roles", () => {
    expect(read).toBeGreaterThan(60)
    expect(leaked).toEqual([])
  })
  await row.assert("schema on output as well: no answer has a field that the contract does not name", () =>
    expect(unsaid).toEqual([])
  )
  await row.assert("no field of an answer has a secret's name, but for those that are said once", async () => {
    const openapi = JSON.parse((await web.call("GET", "/api/v1/openapi.json", { token: world.admin })).text) as {
      readonly paths: Record<string, Record<string, { responses: unknown }>>
      readonly components: { readonly schemas: Record<string, unknown> }
    }
    const names = new Set<string>()
    const followed = new Set<string>()
    const walk = (value: unknown): void => {
      if (!Predicate.isObject(value)) return
      if (Predicate.hasProperty(value, "$ref")) {
        const name = String(value.$ref).replace("#/components/schemas/", "")
        if (followed.has(name)) return
        followed.add(name)
        expect(openapi.components.schemas).toHaveProperty([name])
        walk(openapi.components.schemas[name])
      }
      if (Predicate.hasProperty(value, "properties") && Predicate.isObject(value.properties)) {
        for (const name of Object.keys(value.properties)) names.add(name)
      }
      for (const one of Object.values(value)) walk(one)
    }
    for (const contract of contracts) {
      const operation = openapi.paths[contract.path.replaceAll(/:([a-z_]+)/g, "{$1}")]?.[contract.method.toLowerCase()]
      expect([contract.name, operation?.responses]).toEqual([contract.name, expect.anything()])
      walk(operation?.responses)
    }
    expect(names.size).toBeGreaterThan(200)
    const sounding = [...names].filter((name) => /hash|secret|seed|private|password|_key$|token$/.test(name))
    expect(sounding.filter((name) => !spoken.has(name))).toEqual([])
  })
  row.missing("internal notes", "nothing has notes that only some roles may read")
})

/** A change that is in order, for every edit of the contract. */
const changes: Readonly<Record<string, object | undefined>> = {
  "PATCH /api/v1/users/:id": { display_name: "Bobby" },
  "PATCH /api/v1/hosts/:id": { display_name: "db-one" },
  "PATCH /api/v1/groups/:id": { name: "Databases of ours" },
  "PATCH /api/v1/windows/:id": { name: "Sunday morning" },
  "PATCH /api/v1/holds/:id": { reason: "still frozen" },
  "PATCH /api/v1/settings": { agent_concurrency: 63 },
  "PATCH /api/v1/network": { confirm_seconds: 90 },
  "POST /api/v1/network/confirm": undefined,
  "PATCH /api/v1/sso/providers/:id": { name: "Example two" }
}

securityRow("S58", "Optimistic lock", async (row) => {
  const edits = contracts.filter((contract) => contract.edits)
  await row.assert("every edit of the contract is looked at", () =>
    expect(edits.map(({ name }) => name).toSorted()).toEqual(Object.keys(changes).toSorted())
  )
  const wrong: Array<string> = []
  const before = await state()
  const ask = async (contract: Contract, status: number, headers: Record<string, string>) => {
    const body = changes[contract.name]
    const answer = await world.web.call(contract.method, there(contract.path), {
      token: world.admin,
      headers,
      ...(body === undefined ? {} : { body })
    })
    if (answer.status !== status) wrong.push(`${contract.name}: ${answer.status} ${answer.text.slice(0, 200)}`)
  }
  await row.assert("stale If-Match: 412, no partial write", async () => {
    for (const contract of edits) {
      for (const stale of ['"123456"', '"999999"', 'W/"123456"', "*", "nonsense"])
        await ask(contract, 412, { "if-match": stale })
    }
    expect(wrong).toEqual([])
    expect(await state()).toBe(before)
  })
  await row.assert("missing: 428", async () => {
    for (const contract of edits) await ask(contract, 428, {})
    expect(wrong).toEqual([])
    expect(await state()).toBe(before)
  })
  await row.assert("the version read edits once, and the second of two edits of one version is refused", async () => {
    for (const contract of edits.filter(({ method }) => method === "PATCH")) {
      const read = await world.web.call("GET", there(contract.path), { token: world.admin })
      const etag = String(read.headers["etag"] ?? `"${String(read.at("version"))}"`)
      await ask(contract, 200, { "if-match": etag })
      await ask(contract, 412, { "if-match": etag })
    }
    expect(wrong).toEqual([])
  })
  await row.assert("of two edits of one version at the same moment one is made", async () => {
    for (const contract of edits.filter(({ method }) => method === "PATCH")) {
      const read = await world.web.call("GET", there(contract.path), { token: world.admin })
      const etag = String(read.headers["etag"] ?? `"${String(read.at("version"))}"`)
      const both = await Promise.all(
        [1, 2].map(() =>
          world.web.call(contract.method, there(contract.path), {
            token: world.admin,
            headers: { "if-match": etag },
            body: changes[contract.name]
          })
        )
      )
      expect([contract.name, ...both.map(({ status }) => status).toSorted()]).toEqual([contract.name, 200, 412])
    }
  })
})
