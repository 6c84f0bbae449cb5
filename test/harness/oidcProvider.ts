/** A real identity provider (oidc-provider) over self-signed TLS on loopback. Signing in there is choosing a person. */
import { randomUUID } from "node:crypto"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import * as jose from "jose"
import { Provider } from "oidc-provider"
import { makeSelfSigned } from "./selfSigned.ts"

/** Claims of the id token; `sub` and the key under which the person is chosen are the same. */
export interface Person {
  readonly name?: string
  readonly preferred_username?: string
  readonly email?: string
  readonly groups?: unknown
  readonly amr?: ReadonlyArray<string>
  readonly acr?: string
  /** The provider has a session of his already, begun so long ago. */
  readonly signed_in_seconds_ago?: number
  readonly [claim: string]: unknown
}

export interface OidcProviderOptions {
  readonly redirectUris: ReadonlyArray<string>
  readonly people: Readonly<Record<string, Person>>
  /** Loopback address it listens on, so that two providers are two hosts. */
  readonly address?: string
}

const extra = ["amr", "acr", "groups", "tid", "oid", "hasgroups", "roles"]

export const startOidcProvider = async ({ redirectUris, people, address = "127.0.0.1" }: OidcProviderOptions) => {
  const { key, cert } = await makeSelfSigned()
  const server = createServer({ key, cert })
  await new Promise<void>((resolve) => server.listen(0, address, resolve))
  const { port } = server.address() as AddressInfo
  const issuer = `https://${address}:${port}`
  const client = { id: "patch-manager", secret: randomUUID() }
  const current = new Map(Object.entries(people))
  const uris = [...redirectUris]

  const signing = await jose.generateKeyPair("RS256", { extractable: true })
  const jwk = { ...(await jose.exportJWK(signing.privateKey)), kid: "test-1", alg: "RS256", use: "sig" }
  const make = (): Provider =>
    new Provider(issuer, {
      clients: [
        {
          client_id: client.id,
          client_secret: client.secret,
          redirect_uris: [...uris],
          response_types: ["code"],
          grant_types: ["authorization_code"],
          require_auth_time: true
        }
      ],
      jwks: { keys: [jwk] },
      cookies: { keys: [randomUUID()] },
      claims: { openid: ["sub", ...extra], profile: ["name", "preferred_username"], email: ["email"] },
      conformIdTokenClaims: false,
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_ctx, interaction) => `/choose/${interaction.uid}` },
      ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 600, IdToken: 300, Interaction: 600, Session: 600 },
      findAccount: (_ctx, sub) => {
        const person = current.get(sub)
        return person && { accountId: sub, claims: () => ({ sub, ...person }) }
      },
      // Everybody has consented to everything: what is tested is the sign-in.
      loadExistingGrant: async (ctx) => {
        const grant = new ctx.oidc.provider.Grant({
          clientId: ctx.oidc.client?.clientId ?? "",
          accountId: ctx.oidc.session?.accountId ?? ""
        })
        grant.addOIDCScope("openid profile email")
        await grant.save()
        return grant
      }
    })
  let provider = make()
  /** How he proved who he is, which goes from the sign-in into the token by itself. */
  const proofOf = (sub: string) => {
    const { acr, amr, signed_in_seconds_ago = 0 } = current.get(sub) ?? {}
    return {
      ts: Math.floor(Date.now() / 1000) - signed_in_seconds_ago,
      ...(amr === undefined ? {} : { amr: [...amr] }),
      ...(acr === undefined ? {} : { acr })
    }
  }

  const page = (uid: string): string =>
    `<!doctype html><title>Sign in at the provider</title><h1>Who are you?</h1><form method="get" action="/choose/${uid}">${[
      ...current.keys()
    ]
      .map((sub) => `<button name="person" value="${sub}">${current.get(sub)?.name ?? sub}</button>`)
      .join(" ")}<button name="person" value="-">Cancel</button></form>`

  server.on("request", (request, response) => {
    const url = new URL(request.url ?? "/", issuer)
    if (!url.pathname.startsWith("/choose/")) {
      void provider.callback()(request, response)
      return
    }
    const person = url.searchParams.get("person")
    if (person === null) {
      response.setHeader("content-type", "text/html; charset=utf-8")
      response.end(page(url.pathname.slice("/choose/".length)))
      return
    }
    const result =
      person === "-"
        ? { error: "access_denied", error_description: "The person said no." }
        : { login: { accountId: person, remember: false, ...proofOf(person) } }
    // The library names its cookie's path after the page it sent the browser to.
    void provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false })
  })

  return {
    issuer,
    ca: cert,
    client,
    /** What the next id token says of somebody. */
    setPerson: (sub: string, person: Person): void => void current.set(sub, person),
    /** Forgets every session and takes one more address to send people back to. */
    addRedirectUri: (uri: string): void => {
      uris.push(uri)
      provider = make()
    },
    stop: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      })
  }
}

export type OidcProvider = Awaited<ReturnType<typeof startOidcProvider>>
