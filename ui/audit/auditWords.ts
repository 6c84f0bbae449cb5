/** What the audit log's actions are called on the page; an unknown one is shown as it is stored. */
import type { AuditRow } from "#core/audit/AuditRow.ts"
import type { Verification } from "#core/audit/Verification.ts"
import type { Shown } from "../format/states.ts"

/** The beginnings by which the page narrows, each with its word. */
export const actionGroups: ReadonlyArray<readonly [prefix: string, word: string]> = [
  ["session.", "Sessions"],
  ["user.", "Users"],
  ["factor.", "Second factors"],
  ["token.", "API tokens"],
  ["host.", "Hosts"],
  ["group.", "Groups"],
  ["job.", "Jobs"],
  ["window.", "Windows"],
  ["hold.", "Holds"],
  ["certificate.", "Certificates"],
  ["enrolment.", "Enrolments"],
  ["discovery.", "Discovery"],
  ["settings.", "Settings"],
  ["network.", "Access"],
  ["sso.", "Identity providers"],
  ["audit.", "Audit log"]
]

/** A refusal or a finding, which the eye should find. */
export const isRefusal = (action: string): boolean => /failed|refused|reused|locked|blocked/.test(action)

export const verificationStates: Readonly<Record<Verification["state"], Shown>> = {
  queued: { tone: "idle", icon: "clock", word: "Waiting for the worker" },
  running: { tone: "run", icon: "sync", word: "Verifying" },
  passed: { tone: "ok", icon: "check", word: "Nothing found" },
  failed: { tone: "bad", icon: "failed", word: "Failed" },
  cancelled: { tone: "idle", icon: "minus", word: "Cancelled" }
}

/** Where the object's own page is, or null. */
export const pageOf = ({ object_id, object_type }: AuditRow): string | null => {
  switch (object_type) {
    case "host":
      return `/hosts/${object_id}`
    case "job":
      return `/jobs/${object_id}`
    case "group":
      return `/groups/${object_id}`
    default:
      return null
  }
}

export interface Difference {
  readonly name: string
  readonly before: string | null
  readonly after: string | null
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const shown = (value: unknown): string | null =>
  value === undefined || value === null ? null : typeof value === "string" ? value : JSON.stringify(value)

/** Field by field; what is no object stands under one name. */
export const differences = (before: unknown, after: unknown): ReadonlyArray<Difference> => {
  if (!isRecord(before) && !isRecord(after)) {
    return before == null && after == null ? [] : [{ name: "value", before: shown(before), after: shown(after) }]
  }
  const [was, is] = [isRecord(before) ? before : {}, isRecord(after) ? after : {}]
  return [...new Set([...Object.keys(was), ...Object.keys(is)])].map((name) => ({
    name,
    before: shown(was[name]),
    after: shown(is[name])
  }))
}
