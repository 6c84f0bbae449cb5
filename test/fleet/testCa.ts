import "reflect-metadata"
import { createPrivateKey, randomBytes, randomUUID } from "node:crypto"
import * as x509 from "@peculiar/x509"
import type { Identity } from "./Misbehaviour.ts"

const algorithm = { name: "ECDSA", namedCurve: "P-256" } as const
const signing = { name: "ECDSA", hash: "SHA-256" } as const
const day = 86_400_000

const newKeys = async (): Promise<CryptoKeyPair> =>
  (await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as CryptoKeyPair

const keyPem = async (key: CryptoKey): Promise<string> =>
  createPrivateKey({
    key: Buffer.from(await crypto.subtle.exportKey("pkcs8", key)),
    format: "der",
    type: "pkcs8"
  }).export({ type: "pkcs8", format: "pem" }) as string

const serial = (): string => {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes.toString("hex")
}

/** What a host certificate of a test may say; an expired one, a wrong name or another host's id are made from here. */
export interface HostCertificate {
  readonly address: string
  readonly fqdn: string
  /** Host id in the URI `urn:patch-manager:host:<id>`; null leaves the URI out. */
  readonly hostId?: string | null
  readonly notBefore?: Date
  readonly notAfter?: Date
  /** Extended key usage; `client` makes a certificate that a server must not show. */
  readonly usage?: "server" | "client"
}

/** A certificate authority for tests, apart from the manager's own. */
export class TestCa {
  readonly certificatePem: string
  private readonly certificate: x509.X509Certificate
  private readonly keys: CryptoKeyPair
  private shared: Promise<CryptoKeyPair> | undefined

  private constructor(certificate: x509.X509Certificate, keys: CryptoKeyPair) {
    this.certificate = certificate
    this.keys = keys
    this.certificatePem = `${certificate.toString("pem")}\n`
  }

  static async make(name = "Test CA"): Promise<TestCa> {
    const keys = await newKeys()
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: serial(),
      name: `CN=${name}`,
      notBefore: new Date(Date.now() - day),
      notAfter: new Date(Date.now() + 3_650 * day),
      signingAlgorithm: signing,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 1, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey)
      ]
    })
    return new TestCa(certificate, keys)
  }

  private async issue(options: {
    readonly name: string
    readonly keys: CryptoKeyPair
    readonly usage: "server" | "client"
    readonly names: x509.JsonGeneralNames
    readonly notBefore: Date
    readonly notAfter: Date
  }): Promise<Identity> {
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial(),
      subject: `CN=${options.name}`,
      issuer: this.certificate.subject,
      notBefore: options.notBefore,
      notAfter: options.notAfter,
      signingAlgorithm: signing,
      publicKey: options.keys.publicKey,
      signingKey: this.keys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([
          options.usage === "server" ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth
        ]),
        ...(options.names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(options.names)]),
        await x509.AuthorityKeyIdentifierExtension.create(this.certificate)
      ]
    })
    return {
      certificate_pem: `${certificate.toString("pem")}\n`,
      private_key_pem: await keyPem(options.keys.privateKey)
    }
  }

  /** A host's server certificate with a key of its own. */
  async host(spec: HostCertificate): Promise<Identity> {
    return this.hostWith(await newKeys(), spec)
  }

  /** A host's server certificate on one key shared by all; quick enough for thousands. */
  async hostOnSharedKey(spec: HostCertificate): Promise<Identity> {
    this.shared ??= newKeys()
    return this.hostWith(await this.shared, spec)
  }

  /** A host's certificate that vouches for itself. */
  static async selfSigned(spec: HostCertificate): Promise<Identity> {
    const keys = await newKeys()
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: serial(),
      name: `CN=${spec.fqdn}`,
      notBefore: new Date(Date.now() - day),
      notAfter: new Date(Date.now() + 365 * day),
      signingAlgorithm: signing,
      keys,
      extensions: [
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([
          { type: "dns", value: spec.fqdn },
          { type: "ip", value: spec.address }
        ])
      ]
    })
    return {
      certificate_pem: `${certificate.toString("pem")}\n`,
      private_key_pem: await keyPem(keys.privateKey)
    }
  }

  private hostWith(keys: CryptoKeyPair, spec: HostCertificate): Promise<Identity> {
    const hostId = spec.hostId === undefined ? randomUUID() : spec.hostId
    return this.issue({
      name: spec.fqdn,
      keys,
      usage: spec.usage ?? "server",
      names: [
        { type: "dns", value: spec.fqdn },
        { type: "ip", value: spec.address },
        ...(hostId === null ? [] : [{ type: "url" as const, value: `urn:patch-manager:host:${hostId}` }])
      ],
      notBefore: spec.notBefore ?? new Date(Date.now() - day),
      notAfter: spec.notAfter ?? new Date(Date.now() + 365 * day)
    })
  }

  /** A certificate that ran out yesterday. */
  expiredHost(spec: HostCertificate): Promise<Identity> {
    return this.host({ ...spec, notBefore: new Date(Date.now() - 30 * day), notAfter: new Date(Date.now() - day) })
  }

  /** The manager's client certificate. */
  async client(name = "patch-manager"): Promise<Identity> {
    return this.issue({
      name,
      keys: await newKeys(),
      usage: "client",
      names: [{ type: "url", value: "urn:patch-manager:manager" }],
      notBefore: new Date(Date.now() - day),
      notAfter: new Date(Date.now() + 365 * day)
    })
  }
}
