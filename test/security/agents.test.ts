/** Agents, certificates and enrolment: the real client against real TLS servers, and agents' calls against a real web process. */
import { createHash, X509Certificate } from "node:crypto"
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs"
import { request } from "node:https"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connect, getCiphers, type TLSSocket } from "node:tls"
import { Effect, Exit, Scope } from "effect"
import { afterAll, beforeAll, expect } from "vitest"
import { makeAgentClient } from "#actors/agent/AgentClient.ts"
import type { AgentTarget } from "#actors/agent/AgentTarget.ts"
import { makeSlots } from "#actors/agent/AgentSlots.ts"
import { ensureAuthority } from "#actors/pki/ensureAuthority.ts"
import type { KeyPair, LeafRequest } from "#actors/pki/mint.ts"
import { HostId, hostUri } from "#core/Ids.ts"
import {
  agentServer,
  healthy,
  hostId,
  LOOPBACK,
  makeTestAuthority,
  otherHostId,
  type Seen,
  targetAt,
  type TestAuthority
} from "#test/actors/agent/servers.ts"
import { startTestWeb, type TestWeb } from "#test/http/TestWeb.ts"
import { mintOdd, type OddCertificate } from "./mintOdd.ts"
import { securityRow } from "./securityRow.ts"

let authority: TestAuthority
let web: TestWeb
let admin: string
const scope = Scope.makeUnsafe()
beforeAll(async () => {
  authority = await makeTestAuthority()
  web = await startTestWeb()
  await web.addUser("admin", "admin")
  admin = (await web.signIn("admin")).token
})
afterAll(async () => {
  await Effect.runPromise(Scope.close(scope, Exit.void))
  await web.stop()
})

const serve = (options: Parameters<typeof agentServer>[2] = {}): Promise<Seen> =>
  Effect.runPromise(Scope.provide(agentServer(authority, healthy, options), scope))
const client = () =>
  makeAgentClient(authority.trust, makeSlots({ total: 8, polls: 8 }), { healthMs: 3000, connectMs: 3000 })
const kindOf = async (target: AgentTarget, agent = client()): Promise<string> => {
  const exit = await Effect.runPromise(Effect.result(agent.health(target)))
  return exit._tag === "Success" ? "answered" : exit.failure.kind
}
const withCertificate = async (changes: Partial<LeafRequest>): Promise<string> => {
  const certificate: KeyPair = await authority.host(changes)
  return kindOf(targetAt((await serve({ certificate })).port))
}
const own = { type: "url", value: hostUri(hostId) } as const
const address = { type: "ip", value: LOOPBACK } as const

securityRow("S31", "certificates that agents show", async (row) => {
  await row.assert("a good one is taken", async () => expect(await withCertificate({})).toBe("answered"))
  await row.assert("key usage without serverAuth → refused", async () => {
    expect(await withCertificate({ purpose: "client" })).toBe("certificate_unusable")
  })
  await row.assert("SAN with a second host id → refused", async () => {
    const names = [address, own, { type: "url", value: hostUri(otherHostId) } as const]
    expect(await withCertificate({ names })).toMatch(/^wrong_/)
  })
  await row.assert("CN only → refused", async () => {
    expect(await withCertificate({ commonName: LOOPBACK, names: [] })).toBe("wrong_name")
  })
  await row.assert("name with NUL → refused", async () => {
    const names = [{ type: "dns", value: "web-01.example.test\0.evil.example" } as const, own]
    const made = await authority.host({ names }).catch(() => null)
    if (made === null) return
    const { port } = await serve({ certificate: made })
    expect(await kindOf(targetAt(port, { name: "web-01.example.test" }))).not.toBe("answered")
  })
  await row.assert("of another CA, expired, of the future → refused (F28, F29)", async () => {
    const stranger = await makeTestAuthority()
    const { port } = await serve({ certificate: await stranger.host() })
    const day = 24 * 3600_000
    expect(await kindOf(targetAt(port))).toBe("wrong_authority")
    expect(await withCertificate({ notBefore: new Date(Date.now() - 3 * day), days: 1 })).toBe("certificate_expired")
    expect(await withCertificate({ notBefore: new Date(Date.now() + day) })).toBe("certificate_not_yet_valid")
  })
  const withOdd = async (odd: Omit<OddCertificate, "names">): Promise<string> => {
    const certificate = await mintOdd(authority.ca, { names: [address, own], ...odd })
    // The server would rather not show some of them.
    const { port } = await serve({ certificate, tls: { ciphers: "DEFAULT@SECLEVEL=0" } })
    return kindOf(targetAt(port))
  }
  await row.assert("the same made by other means is taken", async () => expect(await withOdd({})).toBe("answered"))
  await row.assert("CA flag set → refused", async () => {
    expect(await withOdd({ isAuthority: true })).toBe("certificate_unusable")
  })
  await row.assert("2,048-bit RSA → refused", async () => {
    expect(await withOdd({ rsaBits: 3072 })).toBe("answered")
    expect(await withOdd({ rsaBits: 2048 })).toBe("certificate_unusable")
  })
  await row.assert("SHA-1 chain → refused", async () => {
    expect(await withOdd({ hash: "SHA-1" })).toBe("certificate_unusable")
  })
  await row.assert("path too long → refused", async () => {
    expect(await withOdd({ intermediate: true })).toBe("wrong_authority")
  })
})

securityRow("S32", "a resumed session is no way around the identity check", async (row) => {
  const { port } = await serve()
  const agent = client()
  await row.assert("Session cache shared → still refused: keyed per host id", async () => {
    expect(await kindOf(targetAt(port), agent)).toBe("answered")
    expect(await kindOf(targetAt(port), agent)).toBe("answered")
    expect(await kindOf(targetAt(port, { host_id: otherHostId }), agent)).toBe("wrong_identity")
  })
  await row.assert(
    "agent replaced behind a resumed session → still refused: identity is checked on every connection that is not resumed",
    async () => {
      const other = await serve({
        certificate: await authority.host({ names: [address, { type: "url", value: hostUri(otherHostId) }] })
      })
      expect(await kindOf(targetAt(other.port), agent)).toBe("wrong_identity")
      expect(await kindOf(targetAt(port, { trust_generation: 2, host_id: otherHostId }), agent)).toBe("wrong_identity")
    }
  )
})

securityRow("S33", "TLS 1.3 and nothing below", async (row) => {
  const shake = (options: object): Promise<TLSSocket | null> =>
    new Promise((resolve) => {
      const socket = connect({ host: LOOPBACK, port: web.port, servername: "localhost", ca: web.ca, ...options }, () =>
        resolve(socket)
      )
      socket.on("error", () => resolve(null))
    })
  await row.assert("TLS 1.2 and lower → handshake fails, at the web and at agents", async () => {
    for (const version of ["TLSv1.2", "TLSv1.1", "TLSv1"]) {
      expect([version, await shake({ minVersion: "TLSv1", maxVersion: version, ciphers: "ALL:@SECLEVEL=0" })]).toEqual([
        version,
        null
      ])
    }
    const old = await serve({ tls: { minVersion: "TLSv1.2", maxVersion: "TLSv1.2" } })
    expect(await kindOf(targetAt(old.port))).toBe("protocol_error")
  })
  await row.assert("null or CBC suites, downgrade → handshake fails; scan lists only TLS 1.3 suites", async () => {
    const taken: Array<string> = []
    for (const suite of getCiphers()
      .filter((name) => name.startsWith("tls_"))
      .map((name) => name.toUpperCase())) {
      const socket = await shake({ ciphers: suite })
      if (socket !== null) taken.push(socket.getCipher().standardName)
      socket?.destroy()
    }
    expect(taken.length).toBeGreaterThan(0)
    expect(taken.filter((name) => !/^TLS_(AES_(128|256)_GCM|CHACHA20_POLY1305)_SHA(256|384)$/.test(name))).toEqual([])
    expect(await shake({ maxVersion: "TLSv1.2", ciphers: "AES128-SHA:NULL" }).catch(() => null)).toBeNull()
  })
  await row.assert("renegotiation → fails", async () => {
    const socket = await shake({})
    const error = await new Promise<unknown>((resolve) => {
      try {
        socket?.renegotiate({}, resolve)
      } catch (thrown) {
        resolve(thrown)
      }
    })
    expect(error).toBeInstanceOf(Error)
    socket?.destroy()
  })
})

securityRow("S35", "a host that was removed leaves nothing behind", async (row) => {
  const add = (): Promise<string> => web.addHost(admin, { address: "127.35.0.1", fqdn: "old.example.org" })
  const first = await add()
  await web.call("POST", `/api/v1/hosts/${first}/certificate`, { token: admin, headers: { "idempotency-key": "s35" } })
  await web.rows("update hosts set removed_at = now() where id = $1", [first])
  const second = await add()
  await row.assert("Certificate of a deleted host → refused", async () => {
    const { port } = await serve({
      certificate: await authority.host({ names: [address, { type: "url", value: hostUri(HostId.make(first)) }] })
    })
    expect(await kindOf(targetAt(port, { host_id: HostId.make(second) }))).toBe("wrong_identity")
  })
  await row.assert("a re-created host with the old name → nothing inherited", async () => {
    expect(second).not.toBe(first)
    expect((await web.call("GET", `/api/v1/hosts/${second}/client.crt`, { token: admin })).status).toBe(404)
    expect((await web.call("GET", `/api/v1/hosts/${first}`, { token: admin })).status).toBe(404)
    const groups = await web.rows("select 1 from host_groups where host_id = $1", [second])
    expect(groups).toEqual([])
  })
})

securityRow("S36", "agents and operators do not pass for each other", async (row) => {
  await row.assert("Agent calls an operator API → 401", async () => {
    const certificate = await authority.host()
    for (const path of ["/api/v1/hosts", "/api/v1/jobs", "/api/v1/settings"]) {
      const status = await new Promise<number>((resolve, reject) => {
        const sent = request(
          {
            host: LOOPBACK,
            port: web.port,
            servername: "localhost",
            ca: web.ca,
            path,
            agent: false,
            cert: certificate.certificate_pem,
            key: certificate.private_key_pem,
            headers: { host: "localhost" }
          },
          (response) => {
            response.resume()
            resolve(response.statusCode ?? 0)
          }
        )
        sent.on("error", reject)
        sent.end()
      })
      expect([path, status]).toEqual([path, 401])
    }
    const asked = await web.call("POST", "/api/v1/enroll", {
      body: { machine_id: "a".repeat(32), fqdn: "a.example.org", ip_address: "127.36.0.1", os_details: {} }
    })
    const polling = asked.string("polling_token")
    expect((await web.call("GET", "/api/v1/hosts", { token: polling })).status).toBe(401)
  })
  await row.assert("an operator token on the agent API → refused", async () => {
    for (const polling of [encodeURIComponent(admin), "x", "A".repeat(64)]) {
      const answer = await web.call("GET", `/api/v1/enroll/status/${polling}`, { token: admin })
      expect([polling, answer.text]).toEqual([polling, expect.not.stringMatching(/pending|approved|PRIVATE KEY/)])
    }
  })
  row.missing(
    "separate listeners",
    "agents call the manager only to enrol, on the web's listener, without credentials; everything else the manager calls"
  )
})

securityRow("S38", "what enrolment gives away", async (row) => {
  const body = {
    machine_id: "b".repeat(32),
    fqdn: "enrol.example.org",
    ip_address: "127.38.0.1",
    os_details: {},
    host_id: otherHostId,
    is_ca: true,
    sans: ["evil.example"]
  }
  const asked = await web.call("POST", "/api/v1/enroll", { body })
  const polling = asked.string("polling_token")
  const poll = () => web.call("GET", `/api/v1/enroll/status/${polling}`)
  const [enrolment] = await web.rows<{ id: string }>("select id from enrolments order by id desc limit 1")
  const approved = await web.call("POST", `/api/v1/enrolments/${enrolment?.id}/approve`, {
    token: admin,
    body: {},
    headers: { "idempotency-key": "s38" }
  })
  await row.assert("with another host id, asking for CA or extra SANs → template decides", async () => {
    expect(approved.status).toBe(200)
    const first = await poll()
    const pem = first.at("status") === "approved" ? String(first.at("server_crt")) : ""
    const certificate = new X509Certificate(pem)
    expect([certificate.ca, certificate.subjectAltName?.includes("evil")]).toEqual([false, false])
    expect(certificate.subjectAltName).not.toContain(otherHostId)
  })
  await row.assert("weak key → the manager makes it: P-256", async () => {
    const certificate = new X509Certificate(String((await poll()).at("server_crt")))
    expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1")
  })
  await row.assert("used after its time → refused", async () => {
    await web
      .rows(
        "update enrolments set expires_at = now() - interval '1 second', bundle_expires_at = now() - interval '1 second' where id = $1",
        [enrolment?.id]
      )
      .catch(() =>
        web.rows("update enrolments set expires_at = now() - interval '1 second' where id = $1", [enrolment?.id])
      )
    const late = await poll()
    expect(late.text).not.toContain("PRIVATE KEY")
  })
  await row.assert("an unknown token learns nothing", async () => {
    const answer = await web.call("GET", `/api/v1/enroll/status/${"A".repeat(64)}`)
    expect(answer.text).not.toMatch(/PRIVATE KEY|approved/)
  })
  row.missing(
    "used twice",
    "an agent whose disk failed may fetch its bundle again for ten minutes; then it is gone (test/http/enrolments.test.ts)"
  )
  row.missing(
    "CSR with another host id, wrong self-signature; for another group",
    "agents send no CSR and name no group: an administrator decides"
  )
})

securityRow("S39", "a certificate that was taken back", async (row) => {
  const certificate = await authority.host()
  const fingerprint = createHash("sha256").update(new X509Certificate(certificate.certificate_pem).raw).digest("hex")
  const { port } = await serve({ certificate })
  await row.assert("Revoke a host → its next connection fails", async () => {
    const agent = client()
    expect(await kindOf(targetAt(port), agent)).toBe("answered")
    const revoked = targetAt(port, { revoked_fingerprints: [fingerprint], trust_generation: 2 })
    expect(await kindOf(revoked, agent)).toBe("certificate_revoked")
  })
  await row.assert("restart keeps it", async () => {
    expect(await kindOf(targetAt(port, { revoked_fingerprints: [fingerprint] }), client())).toBe("certificate_revoked")
  })
  row.missing(
    "its open ones close within 5 s",
    "the manager holds no connection open to an agent but while a job is watched there"
  )
})

securityRow("S40", "the CA's key", async (row) => {
  const folder = mkdtempSync(join(tmpdir(), "pm-s40-"))
  row.after(() => rmSync(folder, { recursive: true, force: true }))
  await Effect.runPromise(ensureAuthority(join(folder, "secrets")))
  await row.assert(
    "CA key file readable by web or other users → test fails: files of keys are their owner's alone",
    () => {
      const keys = readdirSync(join(folder, "secrets")).filter((name) => name.includes("key"))
      expect(keys.length).toBeGreaterThan(0)
      for (const name of keys)
        expect([name, (statSync(join(folder, "secrets", name)).mode & 0o077).toString(8)]).toEqual([name, "0"])
      expect((statSync(join(folder, "secrets")).mode & 0o022).toString(8)).toBe("0")
    }
  )
  row.missing(
    "web process cannot open it at all (systemd sandbox test)",
    "the web process issues certificates and holds the key, by design; the worker does not"
  )
  row.missing("CA key in a backup in clear", "there is no backup yet")
})
