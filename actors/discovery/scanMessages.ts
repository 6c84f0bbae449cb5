/** What passes between the worker's main thread and the thread that scans. Plain values only. */
import type { Verdict } from "#core/Discovery.ts"

export interface ScanOrder {
  readonly cidr: string
  readonly port: number
  /** PEM of the authority whose certificates count as ours. */
  readonly ca_pem: string
  /** Epoch milliseconds at which the scan ends, whatever is left. */
  readonly ends_at: number
}

export interface Finding {
  readonly address: string
  readonly verdict: Verdict
  /** First DNS name and host id of a certificate that our authority signed; null for every other. */
  readonly fqdn: string | null
  readonly host_id: string | null
}

export type ScanMessage =
  | { readonly type: "found"; readonly findings: ReadonlyArray<Finding> }
  /** `cut_off`: so many addresses were not looked at to the end before the deadline. */
  | { readonly type: "done"; readonly cut_off: number }
  /** The thread ended, or cannot go on: nothing of its kind follows. */
  | { readonly type: "broken"; readonly message: string }
