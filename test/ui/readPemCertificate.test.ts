import "reflect-metadata"
/** Fingerprint and end of validity, compared with what Node reads from the same certificates. */
import { X509Certificate } from "node:crypto"
import { X509CertificateGenerator, cryptoProvider } from "@peculiar/x509"
import { beforeAll, describe, expect, it } from "vitest"
import { readPemCertificate } from "#ui/api/readPemCertificate.ts"

const makePem = async (notAfter: Date): Promise<string> => {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: "17",
    name: "CN=Patch Manager root",
    notBefore: new Date("2026-01-01T00:00:00Z"),
    notAfter,
    signingAlgorithm: algorithm,
    keys
  })
  return certificate.toString("pem")
}

describe("a certificate in PEM form", () => {
  beforeAll(() => cryptoProvider.set(crypto))

  it.each(["2036-11-09T21:14:08Z", "2056-02-03T04:05:06Z"])(
    "ends on %s in either way of writing dates",
    async (end) => {
      const pem = await makePem(new Date(end))
      const node = new X509Certificate(pem)
      const facts = await readPemCertificate(pem)
      expect(facts.sha256).toBe(node.fingerprint256)
      expect(facts.not_after).toBe(end)
      expect(Date.parse(facts.not_after ?? "")).toBe(Date.parse(node.validTo))
    }
  )

  it("is refused when it is something else", async () => {
    await expect(readPemCertificate("<html></html>")).rejects.toThrow("not a certificate")
  })
})
