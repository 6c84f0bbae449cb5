/** A web process, an administrator, and a browser that goes to an identity provider and comes back. */
import { request as httpsRequest } from "node:https"
import type { WebSettings } from "#http/server/WebSettings.ts"
import type { OidcProvider } from "#test/harness/oidcProvider.ts"
import { type Answer, startTestWeb } from "./TestWeb.ts"

interface Page {
  readonly status: number
  readonly location: string | null
  readonly text: string
}

/** Keeps cookies by host; follows nothing by itself. */
export const makeBrowser = (ca: string) => {
  const jars = new Map<string, Map<string, string>>()
  const cookiesFor = (host: string): Map<string, string> => {
    const jar = jars.get(host) ?? new Map<string, string>()
    jars.set(host, jar)
    return jar
  }
  const get = (address: string): Promise<Page> =>
    new Promise((resolve, reject) => {
      const url = new URL(address)
      const jar = cookiesFor(url.host)
      const sent = httpsRequest(
        url,
        {
          ca,
          agent: false,
          headers: { accept: "text/html", cookie: [...jar].map(([name, value]) => `${name}=${value}`).join("; ") }
        },
        (response) => {
          for (const line of response.headers["set-cookie"] ?? []) {
            const [pair = ""] = line.split(";")
            const at = pair.indexOf("=")
            jar.set(pair.slice(0, at), pair.slice(at + 1))
          }
          let text = ""
          response.setEncoding("utf8")
          response.on("data", (chunk: string) => (text += chunk))
          response.on("end", () => {
            const { location } = response.headers
            resolve({
              status: response.statusCode ?? 0,
              location: location === undefined ? null : new URL(location, url).href,
              text
            })
          })
        }
      )
      sent.setTimeout(10_000, () => sent.destroy(new Error(`${address} was not answered`)))
      sent.on("error", reject)
      sent.end()
    })
  return { get }
}

/** From the address the manager sends to, until the provider sends back: the address with the code. */
export const passProvider = async (oidc: OidcProvider, departure: string, person: string): Promise<URL> => {
  const browser = makeBrowser(oidc.ca)
  let at = departure
  for (let hop = 0; hop < 10; hop++) {
    const { location, status, text } = await browser.get(at)
    if (location === null) throw new Error(`The provider answered ${status} at ${at}: ${text.slice(0, 300)}`)
    const next = new URL(location)
    if (next.origin !== oidc.issuer) return next
    if (next.pathname.startsWith("/choose/")) next.searchParams.set("person", person)
    at = next.href
  }
  throw new Error("The provider sends in circles.")
}

const cookieIn = (answer: Answer, name: string): string | null => {
  const lines = [answer.headers["set-cookie"] ?? []].flat()
  const found = lines.find((line) => line.startsWith(`${name}=`))
  return found === undefined ? null : (found.split(";")[0] ?? null)
}

export const startSsoWorld = async (settings: Partial<WebSettings> = {}) => {
  const web = await startTestWeb(settings)
  await web.addUser("root", "admin")
  const { token: admin } = await web.signIn("root")
  let keys = 0
  const send = (method: string, path: string, body?: object, headers: Record<string, string> = {}) =>
    web.call(method, path, {
      token: admin,
      ...(body === undefined ? {} : { body }),
      headers: { "idempotency-key": `sso-${++keys}`, ...headers }
    })
  const made = async (answer: Promise<Answer>) => {
    const got = await answer
    if (got.status >= 300) throw new Error(`${got.status} ${got.text}`)
    return got
  }
  const change = async (id: string, body: object): Promise<Answer> => {
    const { headers } = await made(send("GET", `/api/v1/sso/providers/${id}`))
    return made(send("PATCH", `/api/v1/sso/providers/${id}`, body, { "if-match": String(headers["etag"]) }))
  }
  let names = 0
  /** A provider that is switched on. */
  const addProvider = async (body: object) => {
    const stored = await made(
      send("POST", "/api/v1/sso/providers", {
        name: `Provider ${++names}`,
        kind: "oidc",
        client_id: "patch-manager",
        ...body
      })
    )
    await change(stored.string("id"), { enabled: true })
    return { id: stored.string("id"), redirect_uri: stored.string("redirect_uri") }
  }
  /** `admins` are administrators, `ops` operators of the group, `readers` auditors. */
  const addReal = async (oidc: OidcProvider, group_id?: string, more: object = {}) => {
    const provider = await addProvider({
      issuer: oidc.issuer,
      client_id: oidc.client.id,
      client_secret: oidc.client.secret,
      ca_certificate: oidc.ca,
      mappings: [
        { provider_group: "admins", role: "admin", group_ids: [] },
        { provider_group: "ops", role: "operator", group_ids: group_id === undefined ? [] : [group_id] },
        { provider_group: "readers", role: "auditor", group_ids: [] }
      ],
      ...more
    })
    oidc.addRedirectUri(provider.redirect_uri)
    return provider
  }
  const start = async (id: string, query = "") => {
    const answer = await web.call("GET", `/api/v1/auth/sso/${id}/start${query}`)
    return { answer, location: String(answer.headers["location"]), cookie: cookieIn(answer, "__Host-sso") ?? "" }
  }
  const comeBack = (back: URL, cookie: string | null, headers: Record<string, string> = {}) =>
    web.call("GET", `${back.pathname}${back.search}`, {
      headers: { ...(cookie === null ? {} : { cookie }), ...headers }
    })
  /** The whole way; `session` is the refresh cookie, null where nobody was signed in. */
  const signInThrough = async (oidc: OidcProvider, id: string, person: string, query = "") => {
    const began = await start(id, query)
    const back = await passProvider(oidc, began.location, person)
    const answer = await comeBack(back, began.cookie)
    return {
      answer,
      back,
      began,
      location: String(answer.headers["location"]),
      session: cookieIn(answer, "__Host-refresh")
    }
  }
  const refresh = (session: string) => web.call("POST", "/api/v1/auth/refresh", { headers: { cookie: session } })
  const audits = (action: string) =>
    web.rows<{
      object_id: string
      actor_kind: string
      actor_name: string
      before: unknown
      after: Record<string, unknown>
    }>("select * from audit_log where action = $1 order by seq desc", [action])
  return { web, admin, send, made, change, addProvider, addReal, start, comeBack, signInThrough, refresh, audits }
}

export type SsoWorld = Awaited<ReturnType<typeof startSsoWorld>>
