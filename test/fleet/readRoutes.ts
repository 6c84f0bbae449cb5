import type { Installed } from "./Backend.ts"
import type { Job } from "./JobBook.ts"
import type { StandIn } from "./StandIn.ts"
import { needsReboot } from "./Universe.ts"
import type { Answer } from "./Wire.ts"
import { ok, plain, refuse, timestamp } from "./Wire.ts"

const packageName = /^[a-zA-Z0-9][a-zA-Z0-9+._-]*$/
const serviceName = /^[a-zA-Z0-9][a-zA-Z0-9_.@+-]*$/

/** Whether the agents accept this as a package name. */
export const validName = (name: string): boolean => name.length <= 256 && packageName.test(name)

/** GET /health and /api/v1/health. */
export const health = (host: StandIn): Answer => {
  const { profile } = host
  const reason = host.script.take(["degraded"])?.reason
  const cacheFailed = profile.cacheHealth && reason === "cache_failed"
  if (profile.cacheHealth && !cacheFailed && host.touchCache()) host.jobs.note("__health_refresh__")
  const crl = reason === "crl_expired" ? "expired" : reason === "crl_invalid" ? "invalid" : "valid"
  const gpg = reason === "gpg_missing" ? "missing" : reason === "gpg_expired" ? "expired" : "valid"
  const synced = reason !== "repo_sync_failed"
  const degraded =
    cacheFailed ||
    host.selfUpdating ||
    (profile.cacheHealth && crl !== "valid") ||
    (profile.gpgHealth && gpg !== "valid") ||
    (profile.repoHealth && !synced)
  const hour = 3_600_000
  const now = Date.now()
  return ok({
    status: degraded ? "degraded" : "healthy",
    uptime_seconds: host.uptimeSeconds,
    version: profile.version,
    ...(profile.cacheHealth
      ? {
          last_cache_update: host.lastCacheUpdate === null || cacheFailed ? null : timestamp(host.lastCacheUpdate),
          cache_status: cacheFailed ? "failed" : host.lastCacheUpdate === null ? "unknown" : "fresh",
          crl_status: crl,
          crl_age_seconds: crl === "expired" ? 14 * 86_400 : 3_600,
          crl_next_update: timestamp(now + (crl === "expired" ? -168 : 167) * hour)
        }
      : {}),
    ...(profile.gpgHealth ? { gpg_key_status: gpg, gpg_key_expires_at: null } : {}),
    ...(profile.repoHealth
      ? { repo_config_synced: synced, repo_config_last_sync: synced ? timestamp(now - 4 * hour) : null }
      : {})
  })
}

/** GET /api/v1/system/info. */
export const systemInfo = (host: StandIn): Answer => {
  const { facts, profile } = host
  const markerKnown = facts.backend === "apt" || profile.realRebootNeed
  return ok({
    hostname: host.spec.fqdn.split(".")[0],
    os: facts.os,
    os_version: facts.osVersion,
    kernel: facts.kernel,
    architecture: "x86_64",
    last_update_check: null,
    last_update_apply: null,
    pending_reboot: markerKnown && host.backend.rebootRequired(),
    ...(profile.packageDbClean ? { package_db_clean: true } : {})
  })
}

const knownServices: Readonly<Record<string, readonly [display: string, active: string, sub: string]>> = {
  nginx: ["A high performance web server and a reverse proxy server", "active", "running"],
  ssh: ["OpenBSD Secure Shell server", "inactive", "dead"],
  sshd: ["OpenSSH server daemon", "active", "running"],
  cron: ["Regular background program processing daemon", "active", "running"],
  rsyslog: ["System Logging Service", "active", "running"],
  chrony: ["chrony, an NTP client/server", "active", "running"],
  postgresql: ["PostgreSQL RDBMS", "active", "exited"],
  "unattended-upgrades": ["Unattended Upgrades Shutdown", "failed", "failed"]
}

/** GET /api/v1/system/services/{name}. */
export const service = (host: StandIn, name: string): Answer => {
  if (name === "" || name.length > 256 || !serviceName.test(name) || name.includes("..")) {
    return refuse(400, "INVALID_SERVICE_NAME", `Invalid service name '${name}'`)
  }
  const short = name.replace(/\.service$/, "")
  const known = Object.hasOwn(knownServices, short) ? knownServices[short] : undefined
  if (known === undefined) return refuse(404, "SERVICE_NOT_FOUND", `Service '${name}' not found`)
  const [display, active, sub] = host.stoppedServices.has(short) ? [known[0], "failed", "failed"] : known
  return ok({
    name: short,
    display_name: display,
    active_state: active,
    sub_state: sub,
    load_state: "loaded",
    enabled_state: "enabled",
    main_pid: sub === "running" ? 700 + short.length * 37 : null,
    // ssh is started by its socket, which is up.
    healthy: (active === "active" && sub === "running") || (short === "ssh" && !host.stoppedServices.has(short))
  })
}

interface WirePackage {
  readonly name: string
  readonly version: string
  readonly status: "Installed" | "Upgradable"
  readonly upgradable: boolean
  readonly latest_version: string | null
}

const packageList = async (host: StandIn): Promise<ReadonlyArray<WirePackage>> => {
  const { backend } = host
  const [installed, pending] = await Promise.all([backend.installed(), backend.pending()])
  const newer = new Map(pending.map((one) => [one.name, one.available]))
  const wire = (one: Installed): WirePackage => {
    // On apt a pending update is not seen here: the list says "installed,upgradable to".
    const available = backend.family === "dnf" ? newer.get(one.name) : undefined
    const rest = {
      description: one.description,
      dependencies: one.dependencies,
      reverse_dependencies: [],
      install_date: null,
      size_installed: `${one.sizeKb} KB`
    }
    const head = { name: one.name, version: one.version }
    return available === undefined
      ? { ...head, status: "Installed", upgradable: false, latest_version: null, ...rest }
      : { ...head, status: "Upgradable", upgradable: true, latest_version: available, ...rest }
  }
  return installed.map(wire)
}

const glob = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".")}$`
  )

/** GET /api/v1/packages. */
export const packages = async (host: StandIn, query: URLSearchParams): Promise<Answer> => {
  const name = query.get("name")
  const status = query.get("status")
  const wanted = name === null || name === "" ? undefined : glob(name)
  const found = (await packageList(host)).filter(
    (one) =>
      (wanted === undefined || wanted.test(one.name)) &&
      (status !== "upgradable" || one.status === "Upgradable") &&
      (status !== "installed" || one.status === "Installed") &&
      status !== "available" &&
      (query.get("upgradable") !== "true" || one.upgradable)
  )
  const sort = query.get("sort")
  const key = (one: WirePackage) => (sort === "version" ? one.version : sort === "status" ? one.status : one.name)
  const sign = (query.get("order") ?? "asc") === "asc" ? 1 : -1
  found.sort((a, b) => (key(a) < key(b) ? -sign : key(a) > key(b) ? sign : 0))
  if (!host.profile.tellsVersions) return ok({ packages: found, total: found.length })
  const versions = await host.backend.available(found.map((one) => one.name))
  const told = found.map((one) => ({ ...one, available_versions: versions.get(one.name) ?? [] }))
  return ok({ packages: told, total: told.length })
}

/** GET /api/v1/packages/{name}. */
export const onePackage = async (host: StandIn, name: string): Promise<Answer> => {
  if (host.profile.validatesNames && !validName(name)) {
    return refuse(400, "VALIDATION_ERROR", `Invalid package name '${name}'`)
  }
  const found = (await packageList(host)).find((one) => one.name === name)
  if (found === undefined) return refuse(404, "PKG_NOT_FOUND", `Package '${name}' not found`)
  if (!host.profile.tellsVersions) return ok(found)
  return ok({ ...found, available_versions: (await host.backend.available([name])).get(name) ?? [] })
}

const severityOf = (name: string): string =>
  /kernel|ssl|security/.test(name) ? "critical" : name.includes("lib") ? "high" : "medium"

/** GET /api/v1/patches. */
export const patches = async (host: StandIn): Promise<Answer> => {
  const { backend, profile } = host
  if (profile.cacheHealth && host.touchCache()) host.jobs.note("__patch_list_refresh__")
  const pending = (await backend.pending()).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const list = pending.map((one) => ({
    name: one.name,
    // The apt backend fills both fields from the wrong columns of its list.
    current_version: backend.family === "apt" ? one.available : one.current,
    available_version: backend.family === "apt" ? one.arch : one.available,
    severity: severityOf(one.name),
    description: backend.family === "apt" ? "Package update available" : `Update for ${one.name}`,
    cve_ids: [],
    requires_reboot: profile.realRebootNeed && needsReboot(one.name)
  }))
  return ok({
    patches: list,
    total: list.length,
    security_updates: list.filter((one) => one.severity === "critical" || one.severity === "high").length,
    requires_reboot: profile.realRebootNeed
      ? list.some((one) => one.requires_reboot)
      : list.some((one) => one.name.includes("kernel"))
  })
}

/** GET /api/v1/jobs. */
export const jobList = (host: StandIn, query: URLSearchParams): Answer => {
  const status = query.get("status")?.toLowerCase()
  const known = ["pending", "running", "completed", "failed", "cancelled", "timedout"]
  const asked = query.get("limit")
  const limit = asked === null ? 50 : Number(asked)
  if (!Number.isInteger(limit) || limit < 0) return plain(400, "Query deserialize error: invalid digit found in string")
  const jobs = host.jobs
    .newestFirst()
    .filter((job) => status === undefined || !known.includes(status) || job.status === status)
    .slice(0, limit)
  return ok({ jobs: jobs.map((job) => host.jobs.item(job)), total: jobs.length })
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

type FoundJob = { readonly job: Job } | { readonly wellFormed: boolean; readonly refusal: Answer }

/** The job of this id, or how the agents refuse the id. */
export const findJob = (host: StandIn, id: string): FoundJob => {
  if (!uuid.test(id)) {
    return { wellFormed: false, refusal: refuse(400, "INVALID_JOB_ID", `Invalid job ID format: '${id}'`) }
  }
  const job = host.jobs.get(id)
  return job === undefined
    ? { wellFormed: true, refusal: refuse(404, "JOB_NOT_FOUND", `Job '${id}' not found`) }
    : { job }
}

/** GET /api/v1/jobs/{id}. */
export const jobDetail = (host: StandIn, id: string): Answer => {
  const found = findJob(host, id)
  return "job" in found ? ok(host.jobs.detail(found.job)) : found.refusal
}
