/** The hosts of the contract, over sql/HostStore.ts and its neighbours. */
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import { Authority } from "#actors/pki/Authority.ts"
import { installCommands } from "#actors/pki/installCommands.ts"
import { Conflict, refuseField } from "#core/Errors.ts"
import type { HostChange, HostDetail, IssuedCertificate, NewHost } from "#core/Host.ts"
import type { HostId } from "#core/Ids.ts"
import { Api } from "#http/api/Api.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import { insertHostCertificate, readHostCertificate } from "#sql/CertificateStore.ts"
import { readPackages, readPatches } from "#sql/hostContents.ts"
import { listHosts, type HostListRequest } from "#sql/hostList.ts"
import {
  getHost,
  insertHost,
  refuseDuplicates,
  requestDecision,
  requestRefresh,
  requestRemoval,
  updateHost
} from "#sql/HostStore.ts"
import { listHostJobs, listTransitions } from "#sql/HostTimeline.ts"
import { once } from "#sql/IdempotencyStore.ts"
import { readHostReasons } from "#sql/ReasonStore.ts"
import { makeAskTogether } from "./askTogether.ts"
import { AGENT_PORT, checkAddress, checkPort, resolveName } from "./hostAddress.ts"
import { readIfMatch } from "./ifMatch.ts"
import { answered } from "./translate.ts"
import { WebConfig } from "./WebSettings.ts"

const askTogether = makeAskTogether<
  Effect.Success<ReturnType<typeof listHosts>>,
  Effect.Error<ReturnType<typeof listHosts>>
>()

const list = Effect.fnUntraced(function* (query: HostListRequest) {
  const { principal } = yield* CurrentCaller
  const eyes = JSON.stringify([principal.role, principal.group_ids, query])
  const text = yield* askTogether(eyes, listHosts(principal, query))
  return HttpServerResponse.text(text, { contentType: "application/json" })
})

const create = Effect.fnUntraced(function* (key: string, host: NewHost) {
  const caller = yield* CurrentCaller
  if (host.fqdn === undefined && host.address === undefined) {
    return yield* refuseField("payload", "Give the host's name (fqdn), its address, or both.")
  }
  const address =
    host.address === undefined
      ? yield* resolveName(host.fqdn ?? "")
      : yield* checkAddress(host.address, "payload.address")
  yield* checkPort(host.agent_port, "payload.agent_port")
  const registration = {
    fqdn: host.fqdn ?? null,
    address,
    agent_port: host.agent_port ?? AGENT_PORT,
    display_name: host.display_name ?? host.fqdn ?? address,
    bound_fingerprint: host.bound_fingerprint ?? null
  }
  const request = { caller, key, operation: "hosts.create", request: host, status: 201 }
  return (yield* refuseDuplicates(once(request, insertHost(caller, registration, host.group_ids)))).answer
})

const tagged = (host: HostDetail) => HttpApiSchema.withHeaders({ body: host, headers: { etag: `"${host.version}"` } })

const get = Effect.fnUntraced(function* (id: HostId) {
  const { principal } = yield* CurrentCaller
  return tagged(yield* getHost(principal, id))
})

const update = Effect.fnUntraced(function* (id: HostId, ifMatch: string | undefined, change: HostChange) {
  const caller = yield* CurrentCaller
  const version = yield* readIfMatch(ifMatch, "host")
  if (change.address !== undefined) yield* checkAddress(change.address, "payload.address")
  yield* checkPort(change.agent_port, "payload.agent_port")
  const host = yield* refuseDuplicates(updateHost(caller, id, version, change))
  return tagged(host)
})

const issueCertificate = Effect.fnUntraced(function* (id: HostId) {
  const caller = yield* CurrentCaller
  const authority = yield* Authority
  const { managerAddress } = yield* WebConfig
  const host = yield* getHost(caller.principal, id)
  const minted = yield* authority
    .issueHost({ hostId: id, fqdn: host.fqdn, address: host.address })
    .pipe(
      Effect.catchTag("AuthorityError", (error) =>
        Effect.fail(new Conflict({ code: "certificate_not_possible", message: error.message }))
      )
    )
  const certificate = yield* insertHostCertificate(caller, id, minted)
  const answer: IssuedCertificate = {
    certificate,
    certificate_pem: minted.certificate_pem,
    private_key_pem: minted.private_key_pem,
    ca_pem: minted.ca_pem,
    install_commands: installCommands({ managerAddress })
  }
  return answer
})

export const layer = HttpApiBuilder.group(Api, "hosts", (handlers) =>
  handlers.handleAll({
    list: ({ query }) => answered(list(query)),
    create: ({ headers, payload }) => answered(create(headers["idempotency-key"], payload)),
    get: ({ params }) => answered(get(params.id)),
    update: ({ params, headers, payload }) => answered(update(params.id, headers["if-match"], payload)),
    remove: ({ params, query }) =>
      answered(Effect.flatMap(CurrentCaller, (caller) => requestRemoval(caller, params.id, query.force ?? false))),
    packages: ({ params, query }) =>
      answered(Effect.flatMap(CurrentCaller, ({ principal }) => readPackages(principal, params.id, query.q))),
    patches: ({ params }) =>
      answered(Effect.flatMap(CurrentCaller, ({ principal }) => readPatches(principal, params.id))),
    transitions: ({ params, query }) =>
      answered(
        Effect.flatMap(CurrentCaller, ({ principal }) =>
          listTransitions(principal, params.id, query.cursor, query.limit)
        )
      ),
    jobs: ({ params, query }) =>
      answered(
        Effect.flatMap(CurrentCaller, ({ principal }) => listHostJobs(principal, params.id, query.cursor, query.limit))
      ),
    reasons: ({ params }) =>
      answered(Effect.flatMap(CurrentCaller, ({ principal }) => readHostReasons(principal, params.id))),
    refresh: ({ params }) => answered(Effect.flatMap(CurrentCaller, (caller) => requestRefresh(caller, params.id))),
    dismiss: ({ params }) =>
      answered(
        Effect.flatMap(CurrentCaller, (caller) =>
          requestDecision(caller, params.id, { type: "dismiss", by: caller.principal.username })
        )
      ),
    retry: ({ params }) =>
      answered(
        Effect.flatMap(CurrentCaller, (caller) =>
          requestDecision(caller, params.id, { type: "retry.now", by: caller.principal.username })
        )
      ),
    settle: ({ params, payload }) =>
      answered(
        Effect.flatMap(CurrentCaller, (caller) =>
          requestDecision(caller, params.id, {
            type: "settle.by_hand",
            verdict: payload.verdict,
            by: caller.principal.username
          })
        )
      ),
    issueCertificate: ({ params }) => answered(issueCertificate(params.id)),
    certificate: ({ params }) =>
      answered(Effect.flatMap(CurrentCaller, ({ principal }) => readHostCertificate(principal, params.id)))
  })
)
