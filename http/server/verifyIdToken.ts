/** An id token, believed only where everything about it is as it has to be. OpenID Connect Core 3.1.3.7, RFC 8725. */
import * as jose from "jose"

/** Asymmetric ones only: with HS256 whoever knows the public key could sign. */
export const ALGORITHMS: ReadonlyArray<string> = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"]
const CLOCK_TOLERANCE_SECONDS = 60

export interface ExpectedToken {
  readonly issuer: string
  readonly client_id: string
  readonly nonce: string
  readonly tenant_id: string | null
}

/** The id token is refused; the message says what about it is wrong. */
export class IdTokenRefused extends Error {
  override readonly name = "IdTokenRefused"
}

/** Headers by which a token would bring its own key. */
const foreignKeys = ["jku", "x5u", "jwk", "x5c"]

const mustHaveHeader = (token: string): void => {
  const header = jose.decodeProtectedHeader(token)
  if (typeof header.alg !== "string" || !ALGORITHMS.includes(header.alg)) {
    throw new IdTokenRefused(`It is signed with ${String(header.alg)}; accepted are ${ALGORITHMS.join(", ")}.`)
  }
  const brought = foreignKeys.find((name) => name in header)
  if (brought !== undefined) throw new IdTokenRefused(`It brings a key of its own (${brought}).`)
  if (typeof header.kid !== "string" || header.kid === "") throw new IdTokenRefused("It does not name its key (kid).")
}

const mustBeForUs = ({ aud, azp, nonce, tid }: jose.JWTPayload, expected: ExpectedToken): void => {
  const audiences = Array.isArray(aud) ? aud : [aud]
  if (audiences.length > 1 && azp === undefined) throw new IdTokenRefused("It has several audiences and no azp.")
  if (azp !== undefined && azp !== expected.client_id) throw new IdTokenRefused("Its azp is another client.")
  if (nonce !== expected.nonce) throw new IdTokenRefused("Its nonce is not the one of this sign-in.")
  if (expected.tenant_id !== null && String(tid).toLowerCase() !== expected.tenant_id) {
    throw new IdTokenRefused("Its tenant (tid) is another one.")
  }
}

/** The claims. Rejects with IdTokenRefused, or with a network error where the keys could not be fetched. */
export const verifyIdToken = async (
  token: string,
  keys: jose.JWTVerifyGetKey,
  expected: ExpectedToken
): Promise<jose.JWTPayload & { readonly sub: string }> => {
  try {
    mustHaveHeader(token)
    const { payload } = await jose.jwtVerify(token, keys, {
      algorithms: [...ALGORITHMS],
      issuer: expected.issuer,
      audience: expected.client_id,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ["sub", "iat", "exp", "aud", "iss"]
    })
    mustBeForUs(payload, expected)
    const { sub } = payload
    if (typeof sub !== "string" || sub === "" || sub.length > 255) throw new IdTokenRefused("Its sub is no identifier.")
    return { ...payload, sub }
  } catch (cause) {
    if (cause instanceof jose.errors.JWKSTimeout) throw cause
    if (!(cause instanceof jose.errors.JOSEError)) throw cause
    throw new IdTokenRefused(`${cause.message} (${cause.code}).`, { cause })
  }
}
