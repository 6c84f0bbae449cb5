/** Where an agent is called and who it must prove to be. */
import type { HostId } from "#core/Ids.ts"

export interface AgentTarget {
  readonly host_id: HostId
  /** Registered DNS name: sent as SNI and looked for in the certificate, never resolved. */
  readonly name: string | null
  /** Registered address, without prefix length. */
  readonly address: string
  readonly port: number
  /** SHA-256 of a certificate without host id that an administrator bound to this host. */
  readonly bound_fingerprint: string | null
  /** SHA-256 of the host's certificates that newer ones replaced; whoever shows one of them is refused. */
  readonly revoked_fingerprints?: ReadonlyArray<string>
  /** Grows with every change of CA, certificate, address or name; sessions of older generations are never resumed. */
  readonly trust_generation: number
}

/** `web-01.example.org (192.0.2.7:12443)`, as messages name an agent. */
export const describeTarget = (target: AgentTarget): string => {
  const endpoint = `${target.address.includes(":") ? `[${target.address}]` : target.address}:${target.port}`
  return target.name === null ? endpoint : `${target.name} (${endpoint})`
}

/** Authority part of the agent's URL: the name that the certificate is checked against. */
export const targetOrigin = (target: AgentTarget): string => {
  const host = target.name ?? (target.address.includes(":") ? `[${target.address}]` : target.address)
  return `https://${host}:${target.port}`
}
