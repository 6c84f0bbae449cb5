/** Takes renewed certificates into use while the worker runs, and warns before they end: 30, 14, 7 and 1 days. */
import { X509Certificate } from "node:crypto"
import { Effect, Schedule } from "effect"
import { clearAlarm, raiseAlarm } from "#sql/AlarmStore.ts"
import { AgentClient } from "./AgentClient.ts"
import { readTrust, type TrustMaterial } from "./AgentTrust.ts"

const DAY = 24 * 3600_000
const WARN_DAYS = [1, 7, 14, 30]

interface Ending {
  readonly kind: string
  readonly pem: string
  readonly what: string
  readonly advice: string
}

const endings = ({ ca_pem, certificate_pem }: TrustMaterial): ReadonlyArray<Ending> => [
  {
    kind: "manager_certificate_expiring",
    pem: certificate_pem,
    what: "The manager's client certificate",
    advice: "The web process renews it by itself; look at its log, or restart it."
  },
  {
    kind: "authority_expiring",
    pem: ca_pem,
    what: "The certificate of the manager's CA",
    advice: "Plan a new CA: every host needs a certificate from it."
  }
]

/** Null where it lasts longer than the earliest warning. */
const warning = ({ pem, what, advice }: Ending): string | null => {
  const end = new X509Certificate(pem).validToDate
  const left = end.getTime() - Date.now()
  const day = end.toISOString().slice(0, 10)
  if (left <= 0) return `${what} ended on ${day}, and no host is called any more. ${advice}`
  const within = WARN_DAYS.find((days) => left <= days * DAY)
  if (within === undefined) return null
  return `${what} ends within ${within === 1 ? "1 day" : `${within} days`}, on ${day}. ${advice}`
}

const warn = Effect.fnUntraced(function* (trust: TrustMaterial) {
  for (const ending of endings(trust)) {
    const message = warning(ending)
    if (message === null) yield* clearAlarm(ending.kind)
    else if (yield* raiseAlarm(ending.kind, message)) yield* Effect.logWarning(message)
  }
})

export const watchTrust = Effect.fnUntraced(function* (directory: string, intervalMillis: number) {
  const client = yield* AgentClient
  let known: string | undefined
  const look = Effect.gen(function* () {
    const trust = yield* readTrust(directory)
    const now = `${trust.ca_pem}${trust.certificate_pem}`
    if (known !== undefined && known !== now) {
      yield* client.reload(trust)
      yield* Effect.logInfo("New certificates of the manager are in use")
    }
    known = now
    yield* warn(trust)
  })
  yield* look.pipe(
    Effect.catch((error) => Effect.logWarning("The manager's certificates could not be looked at", error)),
    Effect.repeat(Schedule.spaced(intervalMillis)),
    Effect.annotateLogs({ module: "agent" })
  )
})
