/** A host's TLS identity, as the manager issues it. */
export interface Identity {
  readonly private_key_pem: string
  readonly certificate_pem: string
}

interface Limits {
  /** How many times it strikes before it is over; without it, until cleared. */
  readonly times?: number
}

/** Only calls whose method and path (a prefix below /api/v1) fit. */
interface OnCall extends Limits {
  readonly method?: string
  readonly path?: string
}

type When = "before_change" | "after_change"

/** What a host can be told to do wrong. Kinds are grouped by the moment at which they strike. */
export type Misbehaviour =
  // before TLS
  | ({ readonly kind: "refuse" } & Limits)
  | ({ readonly kind: "close" } & Limits)
  | ({ readonly kind: "hang_connect" } & Limits)
  | ({ readonly kind: "not_tls"; readonly text?: string } & Limits)
  // in the handshake
  | ({ readonly kind: "wrong_ca" } & Limits)
  | ({ readonly kind: "certificate"; readonly identity: Identity } & Limits)
  | ({ readonly kind: "certificate_of"; readonly address: string } & Limits)
  | ({ readonly kind: "refuse_client" } & Limits)
  | ({ readonly kind: "tls12" } & Limits)
  // at a call
  | ({ readonly kind: "hang" } & OnCall)
  | ({ readonly kind: "drip"; readonly interval_ms?: number } & OnCall)
  | ({ readonly kind: "garbage_http" } & OnCall)
  | ({ readonly kind: "garbage_json"; readonly body?: string } & OnCall)
  | ({ readonly kind: "huge"; readonly bytes?: number } & OnCall)
  | ({ readonly kind: "rate_limited"; readonly retry_after_seconds?: number } & OnCall)
  | ({
      readonly kind: "server_error"
      readonly status?: number
      readonly code?: string
      readonly message?: string
      readonly retryable?: boolean
    } & OnCall)
  | ({ readonly kind: "lost_answer" } & OnCall)
  | ({ readonly kind: "lost_request" } & OnCall)
  | ({ readonly kind: "slow"; readonly delay_ms: number } & OnCall)
  // while a package job runs
  | ({
      readonly kind: "fail_job"
      readonly error_code?: string
      readonly message?: string
      readonly status?: "failed" | "timedout" | "cancelled"
    } & Limits)
  | ({ readonly kind: "liar" } & Limits)
  | ({ readonly kind: "hold"; readonly at: When } & Limits)
  | ({ readonly kind: "forget_jobs"; readonly at: When } & Limits)
  | ({ readonly kind: "reboot_mid_run"; readonly at: When } & Limits)
  // at a reboot
  | ({ readonly kind: "never_return" } & Limits)
  | ({ readonly kind: "return_late"; readonly delay_ms: number } & Limits)
  | ({ readonly kind: "ignore_reboot" } & Limits)
  // in the health answer
  | ({
      readonly kind: "degraded"
      readonly reason:
        | "crl_expired"
        | "crl_invalid"
        | "gpg_missing"
        | "gpg_expired"
        | "repo_sync_failed"
        | "cache_failed"
    } & Limits)

export type MisbehaviourKind = Misbehaviour["kind"]

type Of<Kind extends MisbehaviourKind> = Extract<Misbehaviour, { kind: Kind }>

/** The misbehaviours a host is under, in the order in which they were given. */
export class Script {
  private active: Array<{ readonly what: Misbehaviour; left: number }> = []

  set(list: ReadonlyArray<Misbehaviour>): void {
    this.active = list.map((what) => ({ what, left: what.times ?? Number.POSITIVE_INFINITY }))
  }

  list(): ReadonlyArray<Misbehaviour> {
    return this.active.map((one) => one.what)
  }

  /** Whether a misbehaviour given earlier is still in force. */
  holds(what: Misbehaviour): boolean {
    return this.active.some((one) => one.what === what)
  }

  private find<Kind extends MisbehaviourKind>(kinds: ReadonlyArray<Kind>, call?: { method: string; path: string }) {
    return this.active.find(({ what }) => {
      if (!(kinds as ReadonlyArray<MisbehaviourKind>).includes(what.kind)) return false
      const { method, path } = what as OnCall
      if (call === undefined) return true
      return (method === undefined || method === call.method) && (path === undefined || call.path.startsWith(path))
    })
  }

  /** The first misbehaviour of these kinds that fits, without using it up. */
  peek<Kind extends MisbehaviourKind>(...kinds: ReadonlyArray<Kind>): Of<Kind> | undefined {
    return this.find(kinds)?.what as Of<Kind> | undefined
  }

  /** The first misbehaviour of these kinds that fits; one of its times is used up. */
  take<Kind extends MisbehaviourKind>(
    kinds: ReadonlyArray<Kind>,
    call?: { readonly method: string; readonly path: string }
  ): Of<Kind> | undefined {
    const found = this.find(kinds, call)
    if (found === undefined) return undefined
    found.left -= 1
    if (found.left <= 0) this.active = this.active.filter((one) => one !== found)
    return found.what as Of<Kind>
  }

  clear(): void {
    this.active = []
  }
}
