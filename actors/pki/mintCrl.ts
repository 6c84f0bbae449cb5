/** The list of revoked certificates, signed by our authority. */
import "reflect-metadata"
import * as x509 from "@peculiar/x509"
import { createPrivateKey } from "node:crypto"
import type { KeyPair } from "./mint.ts"

const DAY = 24 * 3600_000
/** Agents that cannot reach the manager for a week still have a list in force. */
const VALID_DAYS = 7
const BACKDATED = 5 * 60_000
const CRL_NUMBER = "2.5.29.20"

/** DER of a positive INTEGER. */
const derInteger = (value: bigint): Uint8Array<ArrayBuffer> => {
  const hex = value.toString(16)
  const bytes = Buffer.from(hex.length % 2 ? `0${hex}` : hex, "hex")
  const body = (bytes[0] ?? 0) & 0x80 ? [0, ...bytes] : [...bytes]
  return Uint8Array.from([0x02, body.length, ...body])
}

/** PEM, in force from `now` for a week. Its number is the time in milliseconds, so that it never falls. */
export const mintCrl = async (authority: KeyPair, now: number): Promise<string> => {
  const issuer = new x509.X509Certificate(authority.certificate_pem)
  const keyDer = createPrivateKey(authority.private_key_pem).export({ type: "pkcs8", format: "der" })
  const signingKey = await crypto.subtle.importKey("pkcs8", keyDer, { name: "ECDSA", namedCurve: "P-256" }, false, [
    "sign"
  ])
  const crl = await x509.X509CrlGenerator.create({
    issuer: issuer.subject,
    thisUpdate: new Date(now - BACKDATED),
    nextUpdate: new Date(now + VALID_DAYS * DAY),
    entries: [],
    extensions: [
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      new x509.Extension(CRL_NUMBER, false, derInteger(BigInt(now)))
    ],
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    signingKey
  })
  // OpenSSL, and with it Node and the agents, read a list under this label only.
  return `${crl.toString("pem").replaceAll(" CRL-----", " X509 CRL-----")}\n`
}
