/** Makes keys and certificates: ECDSA P-256, X.509 v3, backdated five minutes against clocks that lag. */
import "reflect-metadata"
import * as x509 from "@peculiar/x509"
import { createPrivateKey, randomBytes } from "node:crypto"

const P256 = { name: "ECDSA", namedCurve: "P-256" }
const SIGNING = { name: "ECDSA", hash: "SHA-256" }
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const BACKDATED = 5 * MINUTE

export type Purpose = "server" | "client"

export interface SubjectName {
  readonly type: "dns" | "ip" | "url"
  readonly value: string
}

/** A certificate with the private key that belongs to it, both PEM (the key PKCS#8). */
export interface KeyPair {
  readonly certificate_pem: string
  readonly private_key_pem: string
}

export interface MintedCertificate extends KeyPair {
  /** 32 lower-case hex digits. */
  readonly serial: string
  readonly not_before: Date
  readonly not_after: Date
}

export interface LeafRequest {
  readonly commonName: string
  readonly names: ReadonlyArray<SubjectName>
  readonly purpose: Purpose
  readonly days: number
  /** Other start of validity than now, five minutes ago. */
  readonly notBefore?: Date
}

/** 128 random bits; the first byte keeps it positive and of constant length. */
const serialNumber = (): string => {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes.toString("hex")
}

const newKeys = () => crypto.subtle.generateKey(P256, true, ["sign", "verify"])

const keyPem = async (key: CryptoKey): Promise<string> =>
  `${x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`

const name = (commonName: string): string => `CN=${commonName}, O=Linux Patch Manager`

/** Whole seconds: a certificate cannot hold more. */
const seconds = (time: number): Date => new Date(Math.floor(time / 1000) * 1000)

/** A self-signed CA that may sign end entities only. The random suffix tells two installations apart. */
export const mintAuthority = async (years: number): Promise<MintedCertificate> => {
  const { privateKey, publicKey } = await newKeys()
  const subject = name(`Patch Manager CA ${randomBytes(4).toString("hex")}`)
  const not_before = seconds(Date.now() - BACKDATED)
  const not_after = seconds(Date.now() + years * 365 * DAY)
  const serial = serialNumber()
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial,
    subject,
    issuer: subject,
    notBefore: not_before,
    notAfter: not_after,
    publicKey,
    signingKey: privateKey,
    signingAlgorithm: SIGNING,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(publicKey)
    ]
  })
  return {
    certificate_pem: `${certificate.toString("pem")}\n`,
    private_key_pem: await keyPem(privateKey),
    serial,
    not_before,
    not_after
  }
}

/** Signs leaves with one CA, whose key is read once. Throws when certificate or key cannot be read. */
export const makeIssuer = async (authority: KeyPair) => {
  const issuer = new x509.X509Certificate(authority.certificate_pem)
  const keyDer = createPrivateKey(authority.private_key_pem).export({ type: "pkcs8", format: "der" })
  const signingKey = await crypto.subtle.importKey("pkcs8", keyDer, P256, false, ["sign"])

  return async (request: LeafRequest): Promise<MintedCertificate> => {
    const { privateKey, publicKey } = await newKeys()
    const not_before = seconds(request.notBefore?.getTime() ?? Date.now() - BACKDATED)
    const wished = (request.notBefore?.getTime() ?? Date.now()) + request.days * DAY
    const not_after = seconds(Math.min(wished, issuer.notAfter.getTime()))
    const serial = serialNumber()
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial,
      subject: name(request.commonName),
      issuer: issuer.subject,
      notBefore: not_before,
      notAfter: not_after,
      publicKey,
      signingKey,
      signingAlgorithm: SIGNING,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([
          request.purpose === "server" ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth
        ]),
        ...(request.names.length > 0 ? [new x509.SubjectAlternativeNameExtension([...request.names])] : []),
        await x509.SubjectKeyIdentifierExtension.create(publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey)
      ]
    })
    return {
      certificate_pem: `${certificate.toString("pem")}\n`,
      private_key_pem: await keyPem(privateKey),
      serial,
      not_before,
      not_after
    }
  }
}
