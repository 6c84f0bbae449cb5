/**
 * What the database roles of the two processes may do: the one table that `applyGrants` carries out. What is not written here
 * is forbidden. Nobody may change an audit row: those are written by functions that run as the owner.
 */

/** The roles' names; both are ordinary login roles without rights of their own. */
export interface ProcessRoles {
  readonly web: string
  readonly worker: string
}

/**
 * Words such as `select insert update delete`; a right on some columns only names them: `select(id,ended_at)`. Empty is none.
 */
interface Rights {
  readonly web: string
  readonly worker: string
}

const none = ""
const read = "select"
const keep = "select insert update delete"
const readBoth: Rights = { web: read, worker: read }
const webAlone: Rights = { web: keep, worker: none }

export const tableRights: Readonly<Record<string, Rights>> = {
  schema_migrations: readBoth,
  allowed_transitions: readBoth,
  system_config: { web: "select insert update", worker: "select insert update" },

  // People. The worker knows names, and whom to write to; it never sees what somebody proves who he is with.
  users: {
    web: "select insert update delete",
    worker: "select(id,username,display_name,role,email,disabled_at,expires_at,deleted_at)"
  },
  user_groups: { web: keep, worker: read },
  sessions: { web: keep, worker: "select(id,ended_at,last_active_at,signed_in_at,stage,factor) delete" },
  refresh_tokens: { web: keep, worker: "select(family_id,issued_at,used_at,revoked_at) delete" },
  api_tokens: {
    web: keep,
    worker: "select(id,user_id,name,permissions,created_at,expires_at,last_used_at,revoked_at)"
  },
  ws_tickets: { web: keep, worker: "select(expires_at) delete" },
  signing_keys: { web: keep, worker: "select(kid,public_key_pem,created_at,ends_at)" },
  password_history: webAlone,
  sign_in_failures: webAlone,
  totp_secrets: webAlone,
  passkeys: webAlone,
  webauthn_challenges: webAlone,
  recovery_codes: webAlone,
  azure_sso_config: webAlone,
  sso_mappings: webAlone,
  sso_mapped_groups: webAlone,
  external_identities: webAlone,
  sso_sign_ins: webAlone,
  idempotency_keys: { web: keep, worker: "select(created_at) delete" },

  // Hosts. The web process makes a host's first snapshot; every later one is a step of its machine, and the worker's.
  hosts: { web: "select insert update", worker: "select update" },
  groups: { web: keep, worker: read },
  host_groups: { web: keep, worker: read },
  host_snapshots: { web: "select insert", worker: "select insert update" },
  host_transitions: { web: read, worker: "select insert delete" },
  host_bases: { web: read, worker: keep },
  host_timers: { web: read, worker: keep },
  host_intents: { web: read, worker: keep },
  host_health_data: { web: read, worker: keep },
  host_patch_data: { web: read, worker: keep },
  host_packages: { web: read, worker: keep },
  host_requests: { web: "select insert", worker: "select insert delete" },
  certificates: { web: "select insert update", worker: "select insert update" },
  holds: { web: keep, worker: read },
  service_checks: { web: keep, worker: read },
  alarms: { web: "select insert update", worker: keep },

  // Jobs.
  patch_jobs: { web: "select insert update", worker: "select insert update delete" },
  patch_job_hosts: { web: "select insert update", worker: keep },
  order_effects: { web: read, worker: keep },
  job_snapshots: { web: "select insert", worker: "select insert update" },
  job_transitions: { web: read, worker: "select insert delete" },
  job_timers: { web: "select insert", worker: keep },
  maintenance_windows: { web: keep, worker: "select update" },
  window_runs: { web: read, worker: keep },

  discovery_scans: { web: keep, worker: "select update delete" },
  discovery_results: { web: read, worker: keep },
  enrolments: { web: "select insert update", worker: "select(id,state,expires_at)" },

  // The worker's own, and what both tell each other.
  worker_lease: { web: read, worker: "select update" },
  worker_heartbeat: { web: read, worker: keep },
  change_feed: { web: "select insert", worker: keep },
  compliance_daily: { web: read, worker: keep },

  network_access: { web: "select update", worker: "select update" },
  outbox: { web: "select insert update", worker: keep },

  // The log: read by both, written by nobody but its functions. The worker signs, and says what its verification found.
  audit_log: readBoth,
  audit_head: readBoth,
  audit_anchor: readBoth,
  audit_keys: { web: read, worker: "select insert" },
  audit_checkpoints: { web: read, worker: "select insert" },
  audit_watch: { web: read, worker: "select update" },
  audit_verifications: { web: "select insert update", worker: "select insert update delete" },
  audit_sign_in_minutes: readBoth,
  audit_reads: { web: "select insert update", worker: none }
}

/** Functions that run as the owner, and who may call them; nobody else may. */
export const functionRights: Readonly<Record<string, ReadonlyArray<keyof ProcessRoles>>> = {
  audit_append: ["web", "worker"],
  audit_prune: ["worker"],
  audit_sign_in_failure: ["web"],
  audit_refusal: ["web"],
  audit_flush_sign_in_failures: ["web", "worker"],
  hosts_in_the_way: ["web", "worker"],
  job_hosts_total: ["web", "worker"],
  job_current_wave: ["web", "worker"],
  job_hosts_in: ["web", "worker"]
}

/** One right of a table; `columns` is null for all of them. */
export interface Grant {
  readonly table: string
  readonly right: string
  readonly columns: ReadonlyArray<string> | null
}

/** The grants of one role, word for word from the table above. */
export const grantsOf = (role: keyof ProcessRoles): ReadonlyArray<Grant> =>
  Object.entries(tableRights).flatMap(([table, rights]) =>
    rights[role]
      .split(" ")
      .filter((word) => word !== "")
      .map((word) => {
        const [, right = word, columns] = /^(\w+)\((.*)\)$/.exec(word) ?? []
        return { table, right, columns: columns === undefined ? null : columns.split(",") }
      })
  )
