/** An identity provider that answers as the test wants it to: any id token for any code, any discovery document. */
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import * as jose from "jose"
import { makeSelfSigned } from "#test/harness/selfSigned.ts"

export interface Forge {
  /** What an honest token would say. */
  readonly claims: jose.JWTPayload
  readonly header: jose.JWTHeaderParameters
  readonly sign: (claims: jose.JWTPayload, header?: Partial<jose.JWTHeaderParameters>) => Promise<string>
  /** PEM of the public key in the key set. */
  readonly publicKey: string
}

type Answer = { readonly status: number; readonly headers?: Record<string, string>; readonly body: unknown }

export const startHostileProvider = async () => {
  const { key, cert } = await makeSelfSigned()
  const signing = await jose.generateKeyPair("RS256", { extractable: true })
  const jwk = { ...(await jose.exportJWK(signing.publicKey)), kid: "known", alg: "RS256", use: "sig" }
  const publicKey = await jose.exportSPKI(signing.publicKey)
  const codes = new Map<string, string>()
  const asked: Array<{ readonly path: string; readonly body: string }> = []
  const overrides = new Map<string, Answer>()
  const metadata: Record<string, unknown> = {}

  const server = createServer({ key, cert }, (request, response) => {
    let body = ""
    request.setEncoding("utf8")
    request.on("data", (chunk: string) => (body += chunk))
    request.on("end", () => {
      const path = request.url ?? ""
      asked.push({ path, body })
      const { status, headers, body: content } = overrides.get(path) ?? answer(path, body)
      response.writeHead(status, { "content-type": "application/json", ...headers })
      response.end(typeof content === "string" ? content : JSON.stringify(content))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const issuer = `https://127.0.0.1:${(server.address() as AddressInfo).port}`

  const answer = (path: string, body: string): Answer => {
    if (path === "/.well-known/openid-configuration") {
      return {
        status: 200,
        body: {
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          userinfo_endpoint: `${issuer}/userinfo`,
          jwks_uri: `${issuer}/keys`,
          id_token_signing_alg_values_supported: ["RS256", "HS256", "none"],
          code_challenge_methods_supported: ["S256"],
          ...metadata
        }
      }
    }
    if (path === "/keys") return { status: 200, body: { keys: [jwk] } }
    if (path === "/userinfo") return { status: 200, body: { sub: "person", groups: ["admins"] } }
    const code = path === "/token" ? new URLSearchParams(body).get("code") : null
    const token = code === null ? undefined : codes.get(code)
    if (token === undefined) return { status: 400, body: { error: "invalid_grant" } }
    return { status: 200, body: { access_token: "opaque", token_type: "Bearer", expires_in: 60, id_token: token } }
  }

  const sign = (claims: jose.JWTPayload, header: Partial<jose.JWTHeaderParameters> = {}): Promise<string> =>
    new jose.SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "known", ...header }).sign(signing.privateKey)

  return {
    issuer,
    ca: cert,
    metadata,
    overrides,
    asked,
    sign,
    /** A code for which the token endpoint gives what `forge` makes. */
    issue: async (nonce: string, forge: (honest: Forge) => Promise<string> | string): Promise<string> => {
      const now = Math.floor(Date.now() / 1000)
      const claims = {
        iss: issuer,
        aud: "patch-manager",
        sub: "person",
        nonce,
        iat: now,
        exp: now + 300,
        groups: ["readers"],
        amr: ["mfa"]
      }
      const code = crypto.randomUUID()
      codes.set(code, await forge({ claims, header: { alg: "RS256", kid: "known" }, sign, publicKey }))
      return code
    },
    stop: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      })
  }
}

export type HostileProvider = Awaited<ReturnType<typeof startHostileProvider>>
