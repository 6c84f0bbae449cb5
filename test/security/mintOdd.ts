/** Certificates that the product's own minting never makes, signed with its CA all the same. */
import "reflect-metadata"
import * as x509 from "@peculiar/x509"
import { createPrivateKey, randomBytes } from "node:crypto"
import type { KeyPair, SubjectName } from "#actors/pki/mint.ts"

const P256 = { name: "ECDSA", namedCurve: "P-256" }
const DAY = 24 * 3600_000

export interface OddCertificate {
  readonly names: ReadonlyArray<SubjectName>
  /** May sign others. */
  readonly isAuthority?: boolean
  readonly rsaBits?: number
  /** What the CA signs with. */
  readonly hash?: "SHA-1" | "SHA-256"
  /** Signed by a CA below ours, which may have none below it. */
  readonly intermediate?: boolean
}

const pemOf = async (key: CryptoKey): Promise<string> =>
  x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")

export const mintOdd = async (ca: KeyPair, odd: OddCertificate): Promise<KeyPair> => {
  const root = new x509.X509Certificate(ca.certificate_pem)
  const rootKey = await crypto.subtle.importKey(
    "pkcs8",
    createPrivateKey(ca.private_key_pem).export({ type: "pkcs8", format: "der" }),
    P256,
    false,
    ["sign"]
  )
  const sign = (subject: string, publicKey: CryptoKey, issuer: string, signingKey: CryptoKey, authority: boolean) =>
    x509.X509CertificateGenerator.create({
      serialNumber: randomBytes(8).toString("hex").replace(/^./, "4"),
      subject,
      issuer,
      notBefore: new Date(Date.now() - DAY),
      notAfter: new Date(Date.now() + DAY),
      publicKey,
      signingKey,
      signingAlgorithm: { name: "ECDSA", hash: odd.hash ?? "SHA-256" },
      extensions: [
        new x509.BasicConstraintsExtension(authority, undefined, true),
        ...(authority ? [] : [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth])]),
        new x509.SubjectAlternativeNameExtension([...odd.names])
      ]
    })
  const { privateKey, publicKey } =
    odd.rsaBits === undefined
      ? await crypto.subtle.generateKey(P256, true, ["sign", "verify"])
      : await crypto.subtle.generateKey(
          {
            name: "RSASSA-PKCS1-v1_5",
            hash: "SHA-256",
            modulusLength: odd.rsaBits,
            publicExponent: new Uint8Array([1, 0, 1])
          },
          true,
          ["sign", "verify"]
        )
  const key = await pemOf(privateKey)
  if (odd.intermediate !== true) {
    const leaf = await sign("CN=odd", publicKey, root.subject, rootKey, odd.isAuthority === true)
    return { certificate_pem: leaf.toString("pem"), private_key_pem: key }
  }
  const below = await crypto.subtle.generateKey(P256, true, ["sign", "verify"])
  const middle = await sign("CN=below", below.publicKey, root.subject, rootKey, true)
  const leaf = await sign("CN=odd", publicKey, middle.subject, below.privateKey, false)
  return { certificate_pem: `${leaf.toString("pem")}\n${middle.toString("pem")}`, private_key_pem: key }
}
