/** Every way a call can fail, against a real server, and what the operator is told. */
import { it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { beforeAll, describe, expect } from "vitest"
import { type AgentClientService, makeAgentClient } from "#actors/agent/AgentClient.ts"
import * as Failures from "#actors/agent/AgentFailure.ts"
import { makeSlots } from "#actors/agent/AgentSlots.ts"
import type { AgentTarget } from "#actors/agent/AgentTarget.ts"
import { transportFailure } from "#actors/agent/transportFailure.ts"
import { readNetwork } from "#core/network.ts"
import type { KeyPair } from "#actors/pki/mint.ts"
import { hostUri } from "#core/Ids.ts"
import {
  agentServer,
  type Answering,
  closedPort,
  envelope,
  errorEnvelope,
  healthy,
  hostId,
  json,
  LOOPBACK,
  makeTestAuthority,
  otherHostId,
  type Seen,
  targetAt,
  tcpServer,
  type TestAuthority,
  tlsServer
} from "./servers.ts"

let authority: TestAuthority
let stranger: TestAuthority
beforeAll(async () => {
  authority = await makeTestAuthority()
  stranger = await makeTestAuthority()
})

const QUICK = { connectMs: 400, healthMs: 700, commandMs: 700 }
const DAY = 24 * 3600_000

const client = (trust = authority.trust) => makeAgentClient(trust, makeSlots({ total: 8, polls: 4 }), QUICK)
/** Calls addresses that no agent can have, too. */
const reckless = () =>
  makeAgentClient(authority.trust, makeSlots({ total: 8, polls: 4 }), { ...QUICK, guardsOff: new Set(["egress"]) })

const failureOf = <A>(call: Effect.Effect<A, Failures.AgentFailure>) => Effect.flip(call)

/** Health for the kind, apply for the delivery: both see the same server. */
const both = (agent: AgentClientService, target: AgentTarget) =>
  Effect.all({
    read: failureOf(agent.health(target)),
    sent: failureOf(agent.apply(target, { names: ["openssl"] }))
  })

interface Case {
  readonly name: string
  readonly server: () => Effect.Effect<{ readonly port: number }, never, Scope.Scope>
  readonly type: abstract new (...args: never) => Failures.AgentFailure
  readonly kind: string
  readonly delivery: Failures.Delivery
  readonly message: RegExp
  readonly target?: Partial<AgentTarget>
  readonly trust?: () => TestAuthority["trust"]
}

const withCertificate = (make: () => Promise<KeyPair>, answering: Answering = healthy) =>
  Effect.flatMap(Effect.promise(make), (certificate) => agentServer(authority, answering, { certificate }))

const answer = (status: number, body: string, headers: Record<string, string> = {}) =>
  agentServer(authority, (_, response) => void response.writeHead(status, headers).end(body))

const JSON_TYPE = { "content-type": "application/json" }

const cases: ReadonlyArray<Case> = [
  {
    name: "nothing listens",
    server: () => Effect.map(closedPort, (port) => ({ port })),
    type: Failures.AgentRefusedConnection,
    kind: "refused",
    delivery: "unsent",
    message: /127\.0\.0\.1:\d+: It refused the connection.*Start linux-patch-api/
  },
  {
    name: "takes the connection, never answers the TLS hello",
    server: () => tcpServer(() => {}),
    type: Failures.AgentConnectTimeout,
    kind: "connect_timeout",
    delivery: "unsent",
    message: /did not complete the TLS handshake within 0\.4 s/
  },
  {
    name: "hangs after the handshake",
    server: () => tlsServer(authority, () => {}),
    type: Failures.AgentTimedOut,
    kind: "timed_out",
    delivery: "unclear",
    message: /did not answer within 0\.7 s/
  },
  {
    name: "drips its body",
    server: () =>
      agentServer(authority, (_, response) => {
        response.writeHead(200, { "content-length": "1000" })
        const timer = setInterval(() => response.write(" "), 50)
        response.once("close", () => clearInterval(timer))
      }),
    type: Failures.AgentTimedOut,
    kind: "timed_out",
    delivery: "unclear",
    message: /did not answer within 0\.7 s/
  },
  {
    name: "is reset during the handshake",
    server: () => tcpServer((socket) => void socket.once("data", () => socket.resetAndDestroy())),
    type: Failures.AgentConnectionLost,
    kind: "connection_lost",
    delivery: "unsent",
    message: /broke during the TLS handshake/
  },
  {
    name: "takes the order and drops the connection without an answer",
    server: () => tlsServer(authority, (socket) => void socket.on("data", () => setImmediate(() => socket.destroy()))),
    type: Failures.AgentConnectionLost,
    kind: "connection_lost",
    delivery: "unclear",
    message: /closed the connection without an answer.*whitelist/
  },
  {
    name: "closes in the middle of the body",
    server: () =>
      agentServer(authority, (_, response) => {
        response.writeHead(200, { "content-length": "1000" })
        response.write("{", () => setImmediate(() => response.socket?.destroy()))
      }),
    type: Failures.AgentConnectionLost,
    kind: "connection_lost",
    delivery: "unclear",
    message: /in the middle of the answer/
  },
  {
    name: "has a certificate of another CA",
    server: () =>
      Effect.flatMap(
        Effect.promise(() => stranger.host()),
        (certificate) => agentServer(authority, healthy, { certificate })
      ),
    type: Failures.AgentWrongAuthority,
    kind: "wrong_authority",
    delivery: "unsent",
    message: /not issued by this manager's CA. Issue a host certificate/
  },
  {
    name: "has an expired certificate",
    server: () => withCertificate(() => authority.host({ notBefore: new Date(Date.now() - 3 * DAY), days: 1 })),
    type: Failures.AgentCertificateExpired,
    kind: "certificate_expired",
    delivery: "unsent",
    message: /has expired/
  },
  {
    name: "has a certificate of the future",
    server: () => withCertificate(() => authority.host({ notBefore: new Date(Date.now() + DAY) })),
    type: Failures.AgentCertificateNotYetValid,
    kind: "certificate_not_yet_valid",
    delivery: "unsent",
    message: /not valid yet. Check the clocks/
  },
  {
    name: "has a certificate for another address",
    server: () =>
      withCertificate(() =>
        authority.host({
          names: [
            { type: "ip", value: "127.9.9.9" },
            { type: "url", value: hostUri(hostId) }
          ]
        })
      ),
    type: Failures.AgentWrongName,
    kind: "wrong_name",
    delivery: "unsent",
    message: /certificate for 127\.9\.9\.9, but is registered as 127\.0\.0\.1/
  },
  {
    name: "has a certificate for another name",
    server: () => withCertificate(() => authority.host()),
    target: { name: "db-01.example.test" },
    type: Failures.AgentWrongName,
    kind: "wrong_name",
    delivery: "unsent",
    message:
      /db-01\.example\.test \(127\.0\.0\.1:\d+\): It presents a certificate for web-01\.example\.test, 127\.0\.0\.1/
  },
  {
    name: "has a common name and no alternative names",
    server: () => withCertificate(() => authority.host({ commonName: LOOPBACK, names: [] })),
    type: Failures.AgentWrongName,
    kind: "wrong_name",
    delivery: "unsent",
    message: /certificate for nothing, but is registered as 127\.0\.0\.1/
  },
  {
    name: "has a wildcard certificate",
    server: () =>
      withCertificate(() =>
        authority.host({
          names: [
            { type: "dns", value: "*.example.test" },
            { type: "ip", value: LOOPBACK },
            { type: "url", value: hostUri(hostId) }
          ]
        })
      ),
    target: { name: "web-01.example.test" },
    type: Failures.AgentWrongName,
    kind: "wrong_name",
    delivery: "unsent",
    message: /wildcard/
  },
  {
    name: "has another host's certificate",
    server: () =>
      withCertificate(() =>
        authority.host({
          names: [
            { type: "ip", value: LOOPBACK },
            { type: "url", value: hostUri(otherHostId) }
          ]
        })
      ),
    type: Failures.AgentWrongIdentity,
    kind: "wrong_identity",
    delivery: "unsent",
    message: new RegExp(`certificate of host ${otherHostId}.*not that of host ${hostId}`)
  },
  {
    name: "has a certificate without a host id that nobody bound",
    server: () => withCertificate(() => authority.host({ names: [{ type: "ip", value: LOOPBACK }] })),
    type: Failures.AgentWrongIdentity,
    kind: "wrong_identity",
    delivery: "unsent",
    message: /without a host id \(SHA-256 [0-9a-f]{64}\)/
  },
  {
    name: "has a certificate without a host id, and another one is bound",
    server: () => withCertificate(() => authority.host({ names: [{ type: "ip", value: LOOPBACK }] })),
    target: { bound_fingerprint: "ab".repeat(32) },
    type: Failures.AgentWrongIdentity,
    kind: "wrong_identity",
    delivery: "unsent",
    message: /is not the one bound to this host/
  },
  {
    name: "has a certificate for clients",
    server: () => withCertificate(() => authority.host({ purpose: "client" })),
    type: Failures.AgentCertificateUnusable,
    kind: "certificate_unusable",
    delivery: "unsent",
    message: /serverAuth is missing/
  },
  {
    name: "speaks TLS 1.2 only",
    server: () => agentServer(authority, healthy, { tls: { minVersion: "TLSv1.2", maxVersion: "TLSv1.2" } }),
    type: Failures.AgentProtocolError,
    kind: "protocol_error",
    delivery: "unsent",
    message: /does not speak TLS 1\.3/
  },
  {
    name: "is a plain HTTP server",
    server: () => tcpServer((socket) => void socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))),
    type: Failures.AgentNotTls,
    kind: "not_tls",
    delivery: "unsent",
    message: /does not speak TLS: expected/
  },
  {
    name: "does not trust our CA and closes",
    server: () => agentServer(authority, healthy, { tls: { ca: stranger.ca.certificate_pem } }),
    type: Failures.AgentRefusedOurCertificate,
    kind: "client_certificate_refused",
    delivery: "unclear",
    message: /manager's certificate. Install this manager's CA/
  },
  {
    name: "wants fewer calls",
    server: () =>
      answer(429, "Rate limit exceeded. Retry after 7 seconds.", { "content-type": "text/plain", "retry-after": "7" }),
    type: Failures.AgentRateLimited,
    kind: "rate_limited",
    delivery: "refused",
    message: /fewer calls, the next one in 7 s/
  },
  {
    name: "reports an error of its own",
    server: () => answer(500, errorEnvelope("PKG_MANAGER_ERROR", true, "apt is broken"), JSON_TYPE),
    type: Failures.AgentErrored,
    kind: "agent_error",
    delivery: "unclear",
    message: /500 \(PKG_MANAGER_ERROR: apt is broken\)/
  },
  {
    name: "could not make the job",
    server: () => answer(500, errorEnvelope("JOB_CREATE_ERROR", true), JSON_TYPE),
    type: Failures.AgentErrored,
    kind: "agent_error",
    delivery: "refused",
    message: /JOB_CREATE_ERROR/
  },
  {
    name: "rejects in plain text",
    server: () => answer(400, "Json deserialize error: EOF\n at line 1", { "content-type": "text/plain" }),
    type: Failures.AgentRejected,
    kind: "rejected",
    delivery: "refused",
    message: /rejected the request with 400 \(Json deserialize error: EOF {2}?at line 1\)/
  },
  {
    name: "denies our address",
    server: () => answer(403, ""),
    type: Failures.AgentRejected,
    kind: "rejected",
    delivery: "refused",
    message: /refused with 403.*whitelist\.yaml/
  },
  {
    name: "is updating itself",
    server: () => answer(409, errorEnvelope("SELF_UPDATE_IN_PROGRESS", true), { ...JSON_TYPE, "retry-after": "60" }),
    type: Failures.AgentBusy,
    kind: "busy",
    delivery: "refused",
    message: /busy with other work \(SELF_UPDATE_IN_PROGRESS/
  },
  {
    name: "has a full queue",
    server: () => answer(429, errorEnvelope("QUEUE_FULL", true), { ...JSON_TYPE, "retry-after": "60" }),
    type: Failures.AgentBusy,
    kind: "busy",
    delivery: "refused",
    message: /QUEUE_FULL/
  },
  {
    name: "does not know the thing",
    server: () => answer(404, errorEnvelope("JOB_NOT_FOUND", false), JSON_TYPE),
    type: Failures.AgentNotFound,
    kind: "not_found",
    delivery: "refused",
    message: /does not know/
  },
  {
    name: "redirects",
    server: () => answer(302, "", { location: "https://127.0.0.1:1/" }),
    type: Failures.AgentAnswerUnreadable,
    kind: "unreadable_answer",
    delivery: "unclear",
    message: /follows no redirects/
  },
  {
    name: "answers nonsense",
    server: () => answer(200, "<html>welcome</html>", { "content-type": "text/html" }),
    type: Failures.AgentAnswerUnreadable,
    kind: "unreadable_answer",
    delivery: "unclear",
    message: /\(200, 20 characters\) is not/
  },
  {
    name: "answers no HTTP at all",
    server: () => tlsServer(authority, (socket) => void socket.once("data", () => socket.end("SSH-2.0-OpenSSH\r\n"))),
    type: Failures.AgentAnswerUnreadable,
    kind: "unreadable_answer",
    delivery: "unclear",
    message: /is not HTTP/
  },
  {
    name: "answers without end",
    server: () =>
      agentServer(authority, (_, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write(" ".repeat(65_536)));
          response.once("drain", more)
        }
        response.writeHead(200)
        more()
      }),
    type: Failures.AgentAnswerTooLarge,
    kind: "too_large",
    delivery: "unclear",
    message: /exceeds the limit of (64|1024) KiB/
  },
  {
    name: "sends headers without end",
    server: () =>
      tlsServer(
        authority,
        (socket) => void socket.once("data", () => socket.write(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(100_000)}\r\n`))
      ),
    type: Failures.AgentAnswerTooLarge,
    kind: "too_large",
    delivery: "unclear",
    message: /headers of its answer exceed 16 KiB/
  }
]

describe("an agent that", () => {
  for (const one of cases) {
    it.live(one.name, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { port } = yield* one.server()
          const { read, sent } = yield* both(client(one.trust?.()), targetAt(port, one.target))
          expect(read).toBeInstanceOf(one.type)
          expect(sent).toBeInstanceOf(one.type)
          expect(read.kind).toBe(one.kind)
          expect(read.message).toMatch(one.message)
          expect(sent.delivery).toBe(one.delivery)
        })
      )
    )
  }

  it("has a case for every kind the network alone can produce", () => {
    const seen = new Set(cases.map((one) => one.kind))
    expect([...seen].toSorted()).toEqual(
      [
        "agent_error",
        "busy",
        "certificate_expired",
        "certificate_not_yet_valid",
        "certificate_unusable",
        "client_certificate_refused",
        "connect_timeout",
        "connection_lost",
        "not_found",
        "not_tls",
        "protocol_error",
        "rate_limited",
        "refused",
        "rejected",
        "timed_out",
        "too_large",
        "unreadable_answer",
        "wrong_authority",
        "wrong_identity",
        "wrong_name"
      ].toSorted()
    )
  })

  it.live("finds our certificate expired", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const expired = yield* Effect.promise(() =>
          authority.issue({
            commonName: "old",
            names: [],
            purpose: "client",
            days: 1,
            notBefore: new Date(Date.now() - 3 * DAY)
          })
        )
        const server = yield* agentServer(authority, healthy)
        const failure = yield* failureOf(client({ ...authority.trust, ...expired }).health(targetAt(server.port)))
        expect(failure).toBeInstanceOf(Failures.ManagerCertificateExpired)
        expect(failure.delivery).toBe("unsent")
      })
    )
  )

  // Agents built on OpenSSL or rustls send these; a Node server closes without a word, as in the case above.
  for (const code of [
    "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA",
    "ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED",
    "ERR_SSL_SSL/TLS_ALERT_UNSUPPORTED_CERTIFICATE",
    "ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE",
    "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"
  ]) {
    it(`refuses our certificate with ${code}, which undici hides behind "other side closed"`, () => {
      const firstError = Object.assign(new Error("alert"), { code })
      const link = { secure: true, resumed: false, ticketSeen: true, firstError }
      const failure = transportFailure(targetAt(1), link, new Error("other side closed"), {
        delivery: "unclear",
        answerBegan: false,
        limitBytes: 1024
      })
      expect(failure).toBeInstanceOf(Failures.AgentRefusedOurCertificate)
      expect(failure.message).toMatch(/refuses the manager's certificate \(.*(certificate|ca)/)
    })
  }

  it.live("has a name that cannot be resolved", () =>
    Effect.gen(function* () {
      const failure = yield* failureOf(reckless().health(targetAt(1, { address: "host.invalid" })))
      expect(failure).toBeInstanceOf(Failures.AgentNameNotFound)
      expect(failure.delivery).toBe("unsent")
      expect(failure.message).toMatch(/host\.invalid:1: /)
    })
  )

  it.live.each([
    "host.invalid",
    "::ffff:127.0.0.1",
    "2130706433",
    "169.254.169.254",
    "0.0.0.0",
    "::",
    "fe80::1",
    "224.0.0.1"
  ])("is registered at %s, which is never called", (address) =>
    Effect.gen(function* () {
      const failure = yield* failureOf(client().health(targetAt(1, { address })))
      expect(failure).toBeInstanceOf(Failures.AgentNetworkUnreachable)
      expect(failure.delivery).toBe("unsent")
      expect(failure.message).toMatch(/no plain IP address|not a plain IP address|No host can be reached/)
    })
  )

  it.live("lies outside of the agents' networks, until they are changed", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { port } = yield* agentServer(authority, healthy)
        const agent = client()
        const [elsewhere, here] = ["198.51.100.0/24", "127.0.0.0/8"].map((text) => readNetwork(text)!)
        yield* agent.allow([elsewhere!])
        expect((yield* failureOf(agent.health(targetAt(port, { address: "192.0.2.1" })))).message).toMatch(
          /lies outside/
        )
        yield* agent.allow([elsewhere!, here!])
        expect((yield* agent.health(targetAt(port))).health).toBe("healthy")
        const strict = makeAgentClient(authority.trust, makeSlots({ total: 8, polls: 4 }), {
          ...QUICK,
          egress: { loopback: false, networks: [] }
        })
        expect((yield* failureOf(strict.health(targetAt(port)))).message).toMatch(/own machine/)
      })
    )
  )

  it.live("lies on a network without a route", () =>
    Effect.gen(function* () {
      // Loopback has no route to a multicast address for TCP: the kernel says so without sending anything.
      const failure = yield* failureOf(reckless().health(targetAt(1, { address: "::ffff:224.0.0.1" })))
      expect(failure).toBeInstanceOf(Failures.AgentNetworkUnreachable)
      expect(failure.message).toMatch(/no route/)
    })
  )
})

describe("facts of a failure", () => {
  it.live("Retry-After and the agent's own word on retrying come through", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const limited = yield* answer(429, "slow down", { "retry-after": "7" })
        const first = yield* failureOf(client().health(targetAt(limited.port)))
        expect(first).toMatchObject({ retryable: true, retry_after_ms: 7000, status: 429, code: null })
        const blocked = yield* answer(409, errorEnvelope("REBOOT_BLOCKED", false), JSON_TYPE)
        const second = yield* failureOf(client().reboot(targetAt(blocked.port), { delay_seconds: 0 }))
        expect(second).toMatchObject({ kind: "busy", retryable: false, code: "REBOOT_BLOCKED", delivery: "refused" })
      })
    )
  )

  it.live("control characters of the agent do not reach the message", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* answer(
          400,
          errorEnvelope("VALIDATION_ERROR", false, "bad\nlevel=error forged\u001b[31m"),
          JSON_TYPE
        )
        const failure = yield* failureOf(client().health(targetAt(server.port)))
        expect(failure.message).not.toMatch(/\p{Cc}/u)
      })
    )
  )
})

describe("the deadline", () => {
  it.live("destroys the socket, so that a late order cannot start", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server: Seen = yield* agentServer(authority, () => {})
        const failure = yield* failureOf(client().apply(targetAt(server.port), { names: ["openssl"] }))
        expect(failure.kind).toBe("timed_out")
        yield* Effect.promise(server.idle)
        expect(server.open).toBe(0)
      })
    )
  )

  it.live("interrupting a call destroys the socket and frees the slot", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const slots = makeSlots({ total: 1, polls: 1 })
        const agent = makeAgentClient(authority.trust, slots, { healthMs: 60_000 })
        let arrived = (): void => {}
        const arrival = new Promise<void>((resolve) => {
          arrived = resolve
        })
        const server = yield* agentServer(authority, () => arrived())
        const fiber = yield* Effect.forkChild(agent.health(targetAt(server.port)))
        yield* Effect.promise(() => arrival)
        expect(slots.running()).toBe(1)
        fiber.interruptUnsafe()
        yield* Effect.promise(server.idle)
        while (slots.running() > 0) yield* Effect.sleep(5)
        expect(slots.waiting()).toBe(0)
      })
    )
  )
})

describe("an order", () => {
  it.live("carries the names and nothing else, least of all a reboot", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* agentServer(authority, (_, response) =>
          json(response, 202, envelope({ job_id: "6ba7b810-9dad-11d1-80b4-00c04fd430c8", status: "pending" }))
        )
        const accepted = yield* client().apply(targetAt(server.port), { names: ["openssl", "curl"] })
        expect(accepted).toEqual({ job_id: "6ba7b810-9dad-11d1-80b4-00c04fd430c8" })
        expect(server.requests).toEqual([
          { method: "POST", path: "/api/v1/patches/apply", body: '{"packages":["openssl","curl"]}' }
        ])
      })
    )
  )

  it.live("without names is a defect and never leaves", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* agentServer(authority, healthy)
        const exit = yield* Effect.exit(client().apply(targetAt(server.port), { names: [] }))
        expect(exit._tag).toBe("Failure")
        expect(String(exit)).toContain("without package names")
        expect(server.accepted).toBe(0)
      })
    )
  )
})
