/** Fingerprint and end of validity, read from the certificate itself rather than from what somebody says about it. */

export interface CertificateFacts {
  readonly pem: string
  /** Upper case pairs, colon between them, as openssl prints it. */
  readonly sha256: string
  /** RFC 3339; null when the certificate's dates cannot be read. */
  readonly not_after: string | null
}

const derOf = (pem: string): Uint8Array<ArrayBuffer> => {
  const body = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/.exec(pem)?.[1]
  if (body === undefined) throw new Error("The answer is not a certificate in PEM form.")
  return Uint8Array.from(atob(body.replace(/\s/g, "")), (char) => char.charCodeAt(0))
}

const UTC_TIME = 0x17
const GENERALIZED_TIME = 0x18

/** The second of the first two times in a certificate is the end of its validity (RFC 5280, 4.1). */
const notAfterOf = (der: Uint8Array): string | null => {
  const text = new TextDecoder("latin1")
  let seen = 0
  for (let at = 0; at + 2 < der.length; at++) {
    const tag = der[at]
    const length = der[at + 1] ?? 0
    const digits = tag === UTC_TIME && length === 13 ? 2 : tag === GENERALIZED_TIME && length === 15 ? 4 : undefined
    if (digits === undefined) continue
    const value = text.decode(der.subarray(at + 2, at + 2 + length))
    const parts = /^(\d+)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(value)
    if (parts === null || parts[1]?.length !== digits) continue
    at += length + 1
    if (++seen < 2) continue
    const year = digits === 4 ? parts[1] : Number(parts[1]) < 50 ? `20${parts[1]}` : `19${parts[1]}`
    return `${year}-${parts[2]}-${parts[3]}T${parts[4]}:${parts[5]}:${parts[6]}Z`
  }
  return null
}

/** Lower-case hexadecimal digits to the form people compare. */
export const colonHex = (hex: string): string => (hex.match(/../g) ?? []).join(":").toUpperCase()

export const readPemCertificate = async (pem: string): Promise<CertificateFacts> => {
  const der = derOf(pem)
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", der))
  const hex = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("")
  return { pem, sha256: colonHex(hex), not_after: notAfterOf(der) }
}
