/** What the worker needs to speak to agents: the CA's certificate and the manager's client certificate with its key. */
import { Context, Data, Effect, Layer } from "effect"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { X509Certificate } from "node:crypto"
import { createSecureContext, type SecureContext } from "node:tls"

export interface TrustMaterial {
  readonly ca_pem: string
  readonly certificate_pem: string
  readonly private_key_pem: string
}

export class TrustError extends Data.TaggedError("TrustError")<{ readonly message: string }> {}

/** TLS 1.3 only and no other roots than ours; throws on material that cannot be used. Costs 0.2 ms, so it is shared. */
export const secureContextOf = (trust: TrustMaterial): SecureContext =>
  createSecureContext({
    ca: trust.ca_pem,
    cert: trust.certificate_pem,
    key: trust.private_key_pem,
    minVersion: "TLSv1.3",
    maxVersion: "TLSv1.3"
  })

/** When the first of the two ends, in epoch milliseconds; after that agents refuse every call. */
export const expiryOf = ({ ca_pem, certificate_pem }: TrustMaterial): number =>
  Math.min(...[ca_pem, certificate_pem].map((pem) => new X509Certificate(pem).validToDate.getTime()))

/** Reads `ca.pem`, `manager.pem` and `manager.key.pem`; the CA's key is never touched. */
export const readTrust = (directory: string): Effect.Effect<TrustMaterial, TrustError> =>
  Effect.tryPromise({
    try: async () => {
      const [ca_pem, certificate_pem, private_key_pem] = await Promise.all([
        readFile(join(directory, "ca.pem"), "utf8"),
        readFile(join(directory, "manager.pem"), "utf8"),
        readFile(join(directory, "manager.key.pem"), "utf8")
      ])
      const trust = { ca_pem, certificate_pem, private_key_pem }
      secureContextOf(trust)
      return trust
    },
    catch: (cause) =>
      new TrustError({
        message: `The manager's client certificate in ${directory} cannot be used: ${String(cause instanceof Error ? cause.message : cause)}. Start the web process first: it makes the certificates.`
      })
  })

export class AgentTrust extends Context.Service<AgentTrust, TrustMaterial>()("patch-manager/agent/AgentTrust") {
  static readonly layer = (directory: string): Layer.Layer<AgentTrust, TrustError> =>
    Layer.effect(AgentTrust, readTrust(directory))
}
