import "reflect-metadata"
import * as x509 from "@peculiar/x509"
import { createSecureContext } from "node:tls"
import { describe, expect, it } from "vitest"
import { mintAuthority } from "#actors/pki/mint.ts"
import { mintCrl } from "#actors/pki/mintCrl.ts"

describe("the revocation list", () => {
  it("is empty, signed by our authority, in force now and for a week, and numbered", async () => {
    const ca = await mintAuthority(1)
    const now = Date.parse("2026-11-22T10:00:00Z")
    const pem = await mintCrl(ca, now)
    expect(pem).toMatch(/^-----BEGIN X509 CRL-----\n[\s\S]+-----END X509 CRL-----\n$/)
    expect(() => createSecureContext({ ca: ca.certificate_pem, crl: pem })).not.toThrow()
    const crl = new x509.X509Crl(pem.replaceAll("X509 CRL", "CRL"))
    const issuer = new x509.X509Certificate(ca.certificate_pem)
    expect(crl.entries).toHaveLength(0)
    expect(crl.issuer).toBe(issuer.subject)
    expect(crl.thisUpdate.getTime()).toBe(now - 5 * 60_000)
    expect(crl.nextUpdate?.getTime()).toBe(now + 7 * 24 * 3600_000)
    expect(await crl.verify({ publicKey: issuer })).toBe(true)
    expect(await crl.verify({ publicKey: new x509.X509Certificate((await mintAuthority(1)).certificate_pem) })).toBe(
      false
    )
    expect(crl.extensions.map(({ type }) => type).toSorted()).toEqual(["2.5.29.20", "2.5.29.35"])
    expect(Buffer.from(crl.getExtension("2.5.29.20")!.value).toString("hex")).toBe(
      `0206${now.toString(16).padStart(12, "0")}`
    )
  })
})
