/** What the web process is told at start, and what follows from it for every request. */
import { Context } from "effect"
import type { RateLimits } from "#core/Limits.ts"

export interface WebSettings {
  readonly bind: string
  /** 0 takes a free port, for tests. */
  readonly port: number
  /** The address people type, such as https://patch.example.org:8443; names the host that requests have to name. */
  readonly publicUrl: string
  /** PEM texts. */
  readonly tls: { readonly key: string; readonly cert: string }
  readonly consoleDirectory: string
  /** PKCS#8 PEM of an Ed25519 key, made by `ensureSigningKey`. */
  readonly jwtKeyFile: string
  /** IPv4 address the hosts see the manager's calls come from, for the install commands; null when not known. */
  readonly managerAddress: string | null
  /** A security patch older than this makes a host not compliant. */
  readonly securityTargetDays: number
  readonly maxConnections?: number
  readonly connectionsPerAddress?: number
  /** Instead of the cost measured on this machine, for tests: a real one would take them minutes. */
  readonly passwordCost?: { readonly memory_kib: number; readonly time_cost: number }
  /** Whether hosts may be registered at loopback addresses and on any port: where a stand-in fleet runs. */
  readonly standInFleet?: boolean
  readonly rates?: RateLimits
}

const loopback = ["localhost", "127.0.0.1", "[::1]"]

const isName = (hostname: string): boolean => !loopback.includes(hostname) && !/^[0-9.]+$|^\[/.test(hostname)

export class WebConfig extends Context.Service<
  WebConfig,
  WebSettings & {
    /** Host names a request may carry; anything else is answered 421. */
    readonly hostNames: ReadonlySet<string>
    /** What every answer carries, given the host name that was asked for. */
    readonly headersFor: (hostName: string) => Readonly<Record<string, string>>
  }
>()("patch-manager/http/WebConfig") {
  static readonly make = (settings: WebSettings): WebConfig["Service"] => {
    const { hostname } = new URL(settings.publicUrl)
    const local = loopback.includes(hostname) || settings.bind === "127.0.0.1" || settings.bind === "::1"
    const securityHeaders: Readonly<Record<string, string>> = {
      "content-security-policy":
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "permissions-policy": "camera=(), geolocation=(), microphone=()"
    }
    // A browser that remembers HSTS for localhost or an address locks other programs there out.
    const named = { ...securityHeaders, "strict-transport-security": "max-age=31536000" }
    return {
      ...settings,
      hostNames: new Set([hostname, ...(local ? loopback : [])]),
      headersFor: (hostName) => (hostName === hostname && isName(hostname) ? named : securityHeaders)
    }
  }
}
