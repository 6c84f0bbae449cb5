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
  | ({ readonly kind: "slow_handshake"; readonly interval_ms?: number } & Limits)
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
  /** Does what it is asked at once and answers late. */
  | ({ readonly kind: "late_answer"; readonly delay_ms: number } & OnCall)
  /** Resets the connection at the first byte of the body; nothing is done. */
  | ({ readonly kind: "reset_request" } & OnCall)
  | ({ readonly kind: "endless_headers"; readonly interval_ms?: number } & OnCall)
  /** Half an answer, then silence on an open connection, as from a cable that was pulled. */
  | ({ readonly kind: "stall" } & OnCall)
  | ({ readonly kind: "gzip_bomb"; readonly unpacked_bytes?: number } & OnCall)
  /** Fields that no manager knows, in every object of the answer. */
  | ({ readonly kind: "unknown_fields" } & OnCall)
  | ({ readonly kind: "clock_off"; readonly seconds: number } & OnCall)
  /** Tells an active job as it is not, as a report that was overtaken would. */
  | ({ readonly kind: "report_as"; readonly status?: string; readonly progress?: number } & OnCall)
  // while a package job runs
  | ({
      readonly kind: "fail_job"
      readonly error_code?: string
      readonly message?: string
      readonly status?: "failed" | "timedout" | "cancelled"
    } & Limits)
  | ({ readonly kind: "liar" } & Limits)
  /** A service does not survive the next change of packages; it comes up again after the time given, else with a reboot. */
  | { readonly kind: "break_service"; readonly unit: string; readonly for_ms?: number; readonly times: number }
  /** Another program holds the package manager's lock, or the package manager asks a question that nobody answers. */
  | ({ readonly kind: "package_lock"; readonly how: "fails" | "waits" } & Limits)
  | ({ readonly kind: "hold"; readonly at: When } & Limits)
  | ({ readonly kind: "forget_jobs"; readonly at: When } & Limits)
  | ({ readonly kind: "reboot_mid_run"; readonly at: When } & Limits)
  // at a reboot
  | ({ readonly kind: "never_return" } & Limits)
  | ({ readonly kind: "return_late"; readonly delay_ms: number } & Limits)
  | ({ readonly kind: "ignore_reboot" } & Limits)
  // on the job WebSocket
  | ({ readonly kind: "double_events" } & Limits)
  | ({ readonly kind: "event_flood"; readonly per_second: number } & Limits)
  | ({ readonly kind: "mute_socket" } & Limits)
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
