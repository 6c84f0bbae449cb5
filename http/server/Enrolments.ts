/** Enrolment of the contract: rate-limited calls of agents nobody knows yet, and an administrator's decisions about them. */
import { createHash, randomInt } from "node:crypto"
import { Effect, Layer, Schedule, Schema } from "effect"
import { HttpServerRequest } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { Authority, type HostCertificate } from "#actors/pki/Authority.ts"
import { openWithToken, sealToToken, tokenPublicKey } from "#actors/pki/sealToToken.ts"
import type { Approval, EnrolRequest, EnrolStatus } from "#core/Enrolment.ts"
import { Conflict, NotFound } from "#core/Errors.ts"
import type { EnrolmentId } from "#core/Ids.ts"
import { Api } from "#http/api/Api.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import { RequestId } from "#http/api/Errors.ts"
import { approveEnrolment, denyEnrolment, getEnrolment, listEnrolments } from "#sql/EnrolmentQueue.ts"
import { expireEnrolments, pollEnrolment, requestEnrolment } from "#sql/EnrolmentStore.ts"
import { once } from "#sql/IdempotencyStore.ts"
import { checkAddress } from "./hostAddress.ts"
import { sourceAddress } from "./sourceAddress.ts"
import { answered } from "./translate.ts"

const ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
const TOKEN_LENGTH = 64
const SWEEP_EVERY = "15 seconds"

/** 64 alphanumerics, 381 bits. */
const pollingToken = (): string =>
  Array.from({ length: TOKEN_LENGTH }, () => ALPHANUMERIC[randomInt(ALPHANUMERIC.length)]).join("")

const tokenHash = (token: string): string => createHash("sha256").update(token).digest("hex")

/** What waits in the sealed bundle; the authority's own parts are added when it is fetched. */
const Bundle = Schema.fromJsonString(
  Schema.Struct({ ca_crt: Schema.String, server_crt: Schema.String, server_key: Schema.String })
)
const decodeBundle = Schema.decodeUnknownEffect(Bundle)

const seal = (bundleKey: Uint8Array, id: EnrolmentId, certificate: HostCertificate): Uint8Array =>
  sealToToken(
    bundleKey,
    id,
    JSON.stringify({
      ca_crt: certificate.ca_pem,
      server_crt: certificate.certificate_pem,
      server_key: certificate.private_key_pem
    })
  )

const callerOrigin = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  return { request_id: yield* RequestId, source_address: sourceAddress(request) }
})

const osDetails = (given: EnrolRequest["os_details"]): Record<string, string> => {
  const { distro, version, id_like, codename, kernel, name } = given ?? {}
  const kept = Object.entries({ distro, version, id_like, codename, kernel, name })
  return Object.fromEntries(kept.flatMap(([key, value]) => (typeof value === "string" ? [[key, value]] : [])))
}

const request = Effect.fnUntraced(function* (body: EnrolRequest) {
  const address = yield* checkAddress(body.ip_address, "payload.ip_address")
  const token = pollingToken()
  const wanted = {
    machine_id: body.machine_id.toLowerCase(),
    fqdn: body.fqdn.toLowerCase().replace(/\.$/, ""),
    address,
    hostname: body.hostname?.trim() || null,
    os_details: osDetails(body.os_details)
  }
  yield* requestEnrolment(yield* callerOrigin, wanted, { hash: tokenHash(token), public_key: tokenPublicKey(token) })
  return { polling_token: token }
})

const status = Effect.fnUntraced(function* (token: string) {
  const authority = yield* Authority
  const answer = yield* pollEnrolment(yield* callerOrigin, tokenHash(token))
  if (answer.status !== "approved") return answer satisfies EnrolStatus
  // What was sealed here cannot be unreadable here, unless somebody changed the database.
  const bundle = yield* Effect.orDie(
    Effect.flatMap(
      Effect.try({ try: () => openWithToken(token, answer.id, answer.bundle), catch: (cause) => cause }),
      decodeBundle
    )
  )
  const approved: EnrolStatus = { status: "approved", ...bundle, crl_pem: yield* Effect.orDie(authority.crl) }
  return approved
})

const approve = Effect.fnUntraced(function* (key: string, id: EnrolmentId, approval: Approval) {
  const caller = yield* CurrentCaller
  const authority = yield* Authority
  const request = { caller, key, operation: "enrolments.approve", request: { id, approval }, status: 200 }
  const issue = ({
    id: hostId,
    ...names
  }: {
    id: Parameters<typeof authority.issueHost>[0]["hostId"]
    fqdn: string | null
    address: string
  }) =>
    authority
      .issueHost({ hostId, ...names })
      .pipe(Effect.mapError((error) => new Conflict({ code: "certificate_not_possible", message: error.message })))
  return (yield* once(request, approveEnrolment(caller, id, approval, { issue, seal }))).answer
})

const noRepository = new NotFound({
  code: "repo_config_missing",
  message: "This manager hosts no package repository. The agent keeps the package sources it has."
})

const group = HttpApiBuilder.group(Api, "enrolments", (handlers) =>
  handlers.handleAll({
    request: ({ payload }) => answered(request(payload)),
    status: ({ params }) => answered(status(params.token)),
    crl: () => Effect.flatMap(Authority, (authority) => Effect.orDie(authority.crl)),
    repoConfig: () => Effect.fail(noRepository),
    list: ({ query }) => answered(Effect.flatMap(CurrentCaller, ({ principal }) => listEnrolments(principal, query))),
    get: ({ params }) => answered(Effect.flatMap(CurrentCaller, ({ principal }) => getEnrolment(principal, params.id))),
    approve: ({ params, headers, payload }) => answered(approve(headers["idempotency-key"], params.id, payload)),
    deny: ({ params }) => answered(Effect.flatMap(CurrentCaller, (caller) => denyEnrolment(caller, params.id)))
  })
)

/** Ends requests and bundles in time, also when nobody asks for them any more. */
const sweeper = Layer.effectDiscard(
  expireEnrolments.pipe(
    Effect.catch((error) => Effect.logWarning("Enrolments could not be swept; tried again", error)),
    Effect.repeat(Schedule.spaced(SWEEP_EVERY)),
    Effect.annotateLogs({ module: "enrolments" }),
    Effect.forkScoped
  )
)

export const layer = Layer.merge(group, sweeper)
