/** The certificate authority: what it writes, what it issues, and that TLS stacks agree with it. */
import { it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { X509Certificate } from "node:crypto"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { get } from "node:https"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect } from "vitest"
import { Authority } from "#actors/pki/Authority.ts"
import { ensureAuthority } from "#actors/pki/ensureAuthority.ts"
import { fingerprint } from "#actors/pki/fingerprint.ts"
import { installCommands } from "#actors/pki/installCommands.ts"
import { HostId, hostUri } from "#core/Ids.ts"

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "authority-"))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let count = 0
const fresh = (): string => join(folder, String(count++))

const host = {
  hostId: HostId.make("01990000-0000-7000-8000-000000000001"),
  fqdn: "Web-01.example.test",
  address: "127.0.0.1"
}

const issue = (directory: string, request = host) =>
  Effect.flatMap(Authority, (authority) => authority.issueHost(request)).pipe(
    Effect.provide(Authority.layer(directory))
  )

const text = (directory: string, name: string): string => readFileSync(join(directory, name), "utf8")

describe("ensureAuthority", () => {
  it.effect("makes three pairs with private keys for the owner alone, and nothing else", () =>
    Effect.gen(function* () {
      const directory = fresh()
      const { made } = yield* ensureAuthority(directory)
      expect(made).toEqual(["ca", "manager", "web"])
      expect(readdirSync(directory).toSorted()).toEqual([
        "ca.key.pem",
        "ca.pem",
        "manager.key.pem",
        "manager.pem",
        "web.key.pem",
        "web.pem"
      ])
      for (const name of ["ca", "manager", "web"]) {
        expect(statSync(join(directory, `${name}.key.pem`)).mode & 0o777).toBe(0o600)
      }
    })
  )

  it.effect("changes nothing the second time", () =>
    Effect.gen(function* () {
      const directory = fresh()
      const first = yield* ensureAuthority(directory, { publicNames: ["pm.example.test"] })
      const second = yield* ensureAuthority(directory, { publicNames: ["pm.example.test"] })
      expect(second).toEqual({ ...first, made: [] })
    })
  )

  it.effect("issues the web certificate anew when a public name is added, for localhost in any case", () =>
    Effect.gen(function* () {
      const directory = fresh()
      yield* ensureAuthority(directory)
      const { made, web } = yield* ensureAuthority(directory, { publicNames: ["PM.example.test", "192.0.2.7"] })
      expect(made).toEqual(["web"])
      const names = new X509Certificate(web.certificate_pem).subjectAltName
      for (const name of ["localhost", "127.0.0.1", "pm.example.test", "192.0.2.7"]) expect(names).toContain(name)
      expect(names).toContain("IP Address:0:0:0:0:0:0:0:1")
    })
  )

  it.effect("renews a leaf that nears its end and one whose key was lost, and keeps the CA", () =>
    Effect.gen(function* () {
      const directory = fresh()
      const first = yield* ensureAuthority(directory, { leafDays: 20 })
      rmSync(join(directory, "web.key.pem"))
      const { ca, made } = yield* ensureAuthority(directory)
      expect(made).toEqual(["manager", "web"])
      expect(ca).toEqual(first.ca)
    })
  )

  it.effect("never replaces a CA whose key is missing or another's", () =>
    Effect.gen(function* () {
      const directory = fresh()
      const other = fresh()
      yield* ensureAuthority(directory)
      yield* ensureAuthority(other)
      const certificate = text(directory, "ca.pem")
      writeFileSync(join(directory, "ca.key.pem"), text(other, "ca.key.pem"))
      expect((yield* Effect.flip(ensureAuthority(directory))).message).toMatch(/Restore both from a backup/)
      rmSync(join(directory, "ca.key.pem"))
      expect((yield* Effect.flip(ensureAuthority(directory))).message).toMatch(/Restore both from a backup/)
      expect(text(directory, "ca.pem")).toBe(certificate)
    })
  )

  it.effect("takes up after a crash that left only the CA's key", () =>
    Effect.gen(function* () {
      const directory = fresh()
      yield* ensureAuthority(directory)
      rmSync(join(directory, "ca.pem"))
      expect((yield* ensureAuthority(directory)).made).toEqual(["ca", "manager", "web"])
    })
  )

  it.effect("says which path it cannot write", () =>
    Effect.gen(function* () {
      const directory = fresh()
      writeFileSync(directory, "a file")
      const failure = yield* Effect.flip(ensureAuthority(join(directory, "pki")))
      expect(failure.message).toContain(directory)
    })
  )
})

describe("Authority", () => {
  it.effect("issues a server certificate that names host, address and host id, with a serial of 16 bytes", () =>
    Effect.gen(function* () {
      const directory = fresh()
      yield* ensureAuthority(directory)
      const one = yield* issue(directory)
      const certificate = new X509Certificate(one.certificate_pem)
      expect(certificate.subjectAltName).toBe(
        `DNS:web-01.example.test, IP Address:127.0.0.1, URI:${hostUri(host.hostId)}`
      )
      expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"])
      expect(certificate.ca).toBe(false)
      expect(certificate.serialNumber.toLowerCase()).toBe(one.serial)
      expect(one.serial).toMatch(/^[4-7][0-9a-f]{31}$/)
      expect(one.fingerprint_sha256).toBe(fingerprint(one.certificate_pem))
      expect(one.fingerprint_sha256).toMatch(/^[0-9a-f]{64}$/)
      expect(one.ca_pem).toBe(text(directory, "ca.pem"))
      expect(certificate.validFromDate).toEqual(one.not_before)
      expect(certificate.validToDate).toEqual(one.not_after)
      const early = Date.now() - one.not_before.getTime()
      expect(early).toBeGreaterThan(4 * 60_000)
      expect(early).toBeLessThan(7 * 60_000)
      expect(Math.round((one.not_after.getTime() - Date.now()) / 86_400_000)).toBe(365)
      const another = yield* issue(directory)
      expect(another.serial).not.toBe(one.serial)
      expect(another.private_key_pem).not.toBe(one.private_key_pem)
    })
  )

  it.effect("refuses names that no host has", () =>
    Effect.gen(function* () {
      const directory = fresh()
      yield* ensureAuthority(directory)
      for (const fqdn of ["*.example.test", "a, O=b", "", "-a", "10.0.0.1", `${"a".repeat(64)}.test`]) {
        expect((yield* Effect.flip(issue(directory, { ...host, fqdn }))).message).toContain("is not a host name")
      }
      for (const address of ["10.0.0.5/32", "web-01", ""]) {
        expect((yield* Effect.flip(issue(directory, { ...host, address }))).message).toContain("is not an IP address")
      }
    })
  )

  it.effect("does not come up without a CA", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(issue(fresh()))
      expect(failure.message).toMatch(/missing or do not belong together/)
    })
  )

  it.effect("does with IPv6 addresses and without a name", () =>
    Effect.gen(function* () {
      const directory = fresh()
      yield* ensureAuthority(directory)
      const six = yield* Effect.flatMap(Authority, (authority) =>
        authority.issueHost({ ...host, fqdn: null, address: "2001:db8::7" })
      ).pipe(Effect.provide(Authority.layer(directory)))
      expect(new X509Certificate(six.certificate_pem).checkIP("2001:db8::7")).toBe("2001:db8::7")
    })
  )

  it.effect("a strict verifier accepts the chain for its purpose and for no other", () =>
    Effect.gen(function* () {
      const directory = fresh()
      const { ca, manager, web } = yield* ensureAuthority(directory)
      const one = yield* issue(directory)
      const root = new X509Certificate(ca.certificate_pem)
      for (const pem of [manager.certificate_pem, web.certificate_pem, one.certificate_pem]) {
        const leaf = new X509Certificate(pem)
        expect(leaf.verify(root.publicKey)).toBe(true)
        expect(leaf.checkIssued(root)).toBe(true)
      }
      if (!existsSync("/usr/bin/openssl")) return
      writeFileSync(join(directory, "host.pem"), one.certificate_pem)
      const verify = (purpose: string, name: string): string =>
        execFileSync(
          "/usr/bin/openssl",
          ["verify", "-x509_strict", "-purpose", purpose, "-CAfile", join(directory, "ca.pem"), join(directory, name)],
          { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }
        )
      expect(verify("sslserver", "host.pem")).toContain("OK")
      expect(verify("sslserver", "web.pem")).toContain("OK")
      expect(verify("sslclient", "manager.pem")).toContain("OK")
      expect(() => verify("sslclient", "host.pem")).toThrow()
      expect(() => verify("sslserver", "manager.pem")).toThrow()
    })
  )

  it.effect("host and manager shake hands over TLS 1.3, each verified by the other", () =>
    Effect.gen(function* () {
      const directory = fresh()
      const { ca, manager } = yield* ensureAuthority(directory)
      const one = yield* issue(directory)
      const server = createServer(
        {
          cert: one.certificate_pem,
          key: one.private_key_pem,
          ca: ca.certificate_pem,
          requestCert: true,
          rejectUnauthorized: true,
          minVersion: "TLSv1.3"
        },
        (_, response) => response.end("hello")
      )
      yield* Effect.promise(() => new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve)))
      const { port } = server.address() as AddressInfo
      const ask = (credentials: object): Promise<string> =>
        new Promise((resolve, reject) => {
          get({ host: "127.0.0.1", port, agent: false, ca: ca.certificate_pem, ...credentials }, (response) => {
            response.on("data", (part: Buffer) => resolve(part.toString()))
          }).on("error", reject)
        })
      const credentials = { cert: manager.certificate_pem, key: manager.private_key_pem }
      expect(yield* Effect.promise(() => ask(credentials))).toBe("hello")
      yield* Effect.promise(() => expect(ask({})).rejects.toThrow())
      yield* Effect.promise(() => expect(ask({ ...credentials, host: "127.0.0.2" })).rejects.toThrow())
      yield* Effect.promise(() => new Promise<void>((resolve) => void server.close(() => resolve())))
    })
  )
})

describe("installCommands", () => {
  it("name the agent's own paths, restart it, and leave the key to root", () => {
    const commands = installCommands({ managerAddress: "192.0.2.10" })
    expect(commands).toContain("-m 0600 server.key.pem /etc/linux_patch_api/certs/server.key.pem")
    expect(commands).toContain('- "192.0.2.10"')
    expect(commands).toContain("systemctl restart linux-patch-api.service")
  })

  it("do not repeat what is no IPv4 address, for agents deny IPv6 and shells run anything", () => {
    for (const managerAddress of ["$(reboot)", "2001:db8::1", null]) {
      expect(installCommands({ managerAddress })).toContain('"MANAGER_IPV4_ADDRESS"')
    }
  })

  it("make a whitelist that is valid whether there was one or not", () => {
    const etc = join(folder, "etc")
    mkdirSync(etc)
    const whitelist = join(etc, "whitelist.yaml")
    const lines = installCommands({ managerAddress: "192.0.2.10" })
      .split("\n")
      .filter((line) => line.includes("whitelist"))
      .map((line) => line.replaceAll("/etc/linux_patch_api/whitelist.yaml", whitelist))
    const run = (): string => {
      for (const line of lines) execFileSync("/bin/sh", ["-c", line])
      return readFileSync(whitelist, "utf8")
    }
    expect(run()).toBe('entries:\n  - "192.0.2.10"\n')
    expect(run()).toBe('entries:\n  - "192.0.2.10"\n')
    writeFileSync(whitelist, 'entries:\n  - "198.51.100.4"\n')
    expect(run()).toBe('entries:\n  - "192.0.2.10"\n  - "198.51.100.4"\n')
  })
})
