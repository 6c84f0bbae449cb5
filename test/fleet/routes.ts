import type { IncomingMessage } from "node:http"
import type { Installed } from "./Backend.ts"
import type { Job } from "./JobBook.ts"
import { isActive } from "./JobBook.ts"
import { parseApply, parseInstall, parseReboot, readJson } from "./requestBody.ts"
import type { StandIn } from "./StandIn.ts"
import { needsReboot } from "./Universe.ts"
import type { Answer } from "./Wire.ts"
import { ok, plain, refuse, timestamp } from "./Wire.ts"

const packageName = /^[a-zA-Z0-9][a-zA-Z0-9+._-]*$/
const packageVersion = /^[a-zA-Z0-9][a-zA-Z0-9+.:~_-]*$/
const serviceName = /^[a-zA-Z0-9][a-zA-Z0-9_.@+-]*$/
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const queueDepth = 100

const methodNotAllowed = plain(405, "", { allow: "GET, POST, PUT, DELETE" })

const validName = (name: string): boolean => name.length <= 256 && packageName.test(name)

const health = (host: StandIn): Answer => {
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

const systemInfo = (host: StandIn): Answer => {
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

const service = (name: string): Answer => {
  if (name === "" || name.length > 256 || !serviceName.test(name) || name.includes("..")) {
    return refuse(400, "INVALID_SERVICE_NAME", `Invalid service name '${name}'`)
  }
  const short = name.replace(/\.service$/, "")
  const known = Object.hasOwn(knownServices, short) ? knownServices[short] : undefined
  if (known === undefined) return refuse(404, "SERVICE_NOT_FOUND", `Service '${name}' not found`)
  const [display, active, sub] = known
  return ok({
    name: short,
    display_name: display,
    active_state: active,
    sub_state: sub,
    load_state: "loaded",
    enabled_state: "enabled",
    main_pid: sub === "running" ? 700 + short.length * 37 : null,
    // ssh is started by its socket, which is up.
    healthy: (active === "active" && sub === "running") || short === "ssh"
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
  new RegExp(`^${pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".")}$`)

const packages = async (host: StandIn, query: URLSearchParams): Promise<Answer> => {
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
  return ok({ packages: found, total: found.length })
}

const onePackage = async (host: StandIn, name: string): Promise<Answer> => {
  if (host.profile.validatesNames && !validName(name)) {
    return refuse(400, "VALIDATION_ERROR", `Invalid package name '${name}'`)
  }
  const found = (await packageList(host)).find((one) => one.name === name)
  return found === undefined ? refuse(404, "PKG_NOT_FOUND", `Package '${name}' not found`) : ok(found)
}

const severityOf = (name: string): string =>
  /kernel|ssl|security/.test(name) ? "critical" : name.includes("lib") ? "high" : "medium"

const patches = async (host: StandIn): Promise<Answer> => {
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

const jobList = (host: StandIn, query: URLSearchParams): Answer => {
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

const notFound = (id: string): Answer => refuse(404, "JOB_NOT_FOUND", `Job '${id}' not found`)

const badId = (id: string): Answer => refuse(400, "INVALID_JOB_ID", `Invalid job ID format: '${id}'`)

const deleteJob = (host: StandIn, id: string): Answer => {
  if (!uuid.test(id)) return badId(id)
  const job = host.jobs.get(id)
  if (job === undefined) return notFound(id)
  if (isActive(job)) {
    return refuse(409, "DELETE_NOT_ALLOWED", "Only completed, failed, cancelled or timed out jobs can be deleted", {
      details: { job_id: id, status: job.status }
    })
  }
  host.jobs.delete(id)
  return ok({ deleted: true, job_id: id })
}

/** Why no job can be created right now, if so. */
const admission = (host: StandIn, queueStatus = 429): Answer | undefined => {
  if (host.selfUpdating) {
    return refuse(409, "SELF_UPDATE_IN_PROGRESS", "A self-update is in progress", {
      retryable: queueStatus === 429,
      retryAfter: 60
    })
  }
  if (host.rebootReserved) return refuse(409, "ADMISSION_CLOSED", "The agent is shutting down or recovering")
  if (host.profile.queueCap && host.jobs.countOf("pending", "running") >= queueDepth) {
    return refuse(queueStatus, "QUEUE_FULL", "Job queue is full", { retryable: true, retryAfter: 60 })
  }
  return undefined
}

const rollback = (host: StandIn, id: string): Answer => {
  if (!uuid.test(id)) return badId(id)
  const original = host.jobs.get(id)
  if (original === undefined || (original.status !== "completed" && original.status !== "failed")) {
    return refuse(400, "ROLLBACK_NOT_ALLOWED", "Only completed or failed jobs can be rolled back", {
      details: { job_id: id }
    })
  }
  const closed = admission(host)
  if (closed !== undefined) return closed
  // Nothing in any agent takes such a job up: it stays pending.
  const job = host.jobs.create("rollback", original.packages, original.id)
  return ok(
    { job_id: job.id, status: "pending", operation: "rollback", original_job_id: original.id, exclusive_mode: true },
    202
  )
}

const accepted = (job: Job, operation: string, names: ReadonlyArray<string> | null, name: string | null): Answer =>
  ok({ job_id: job.id, status: "pending", operation, packages: names, package: name }, 202)

const invalidName = (host: StandIn, names: ReadonlyArray<string>): Answer | undefined => {
  const bad = host.profile.validatesNames ? names.find((name) => !validName(name)) : undefined
  return bad === undefined ? undefined : refuse(400, "VALIDATION_ERROR", `Invalid package name '${bad}'`)
}

const apply = async (host: StandIn, request: IncomingMessage): Promise<Answer> => {
  const body = await readJson(request, (value) => parseApply(value, host.profile.rebootFlag === "if_needed"))
  if ("answer" in body) return body.answer
  const { packages: names, reboot, delaySeconds } = body.value
  const closed = invalidName(host, names ?? []) ?? admission(host)
  if (closed !== undefined) return closed
  const listed = names ?? (await host.backend.pending()).map((one) => one.name)
  const job = host.jobs.create("patchapply", listed)
  host.start(
    job,
    "Starting patch application...",
    (signal) => host.backend.upgrade(names, signal),
    async () => {
      if (reboot) host.rebootAfterApply(names, Math.ceil(delaySeconds / 60), job)
    }
  )
  return accepted(job, "patch_apply", [`${listed.length} packages`], null)
}

const install = async (host: StandIn, request: IncomingMessage): Promise<Answer> => {
  const body = await readJson(request, parseInstall)
  if ("answer" in body) return body.answer
  const { wanted, noRecommends } = body.value
  const names = wanted.map((one) => one.name)
  const badVersion = host.profile.validatesNames
    ? wanted.find((one) => one.version !== null && !packageVersion.test(one.version))
    : undefined
  if (badVersion !== undefined) {
    return refuse(400, "VALIDATION_ERROR", `Invalid version '${badVersion.version}' of package '${badVersion.name}'`)
  }
  const closed = invalidName(host, names) ?? admission(host)
  if (closed !== undefined) return closed
  const job = host.jobs.create("install", names)
  const options = { noRecommends, allowDowngrades: host.profile.allowsDowngrade }
  host.start(job, "Starting package installation...", (signal) => host.backend.install(wanted, options, signal))
  return accepted(job, "install", names, null)
}

const selfUpdate = (host: StandIn): Answer => {
  if (host.activeJobs() > 0) {
    return refuse(409, "SELF_UPDATE_BLOCKED", "Self-update is blocked by running jobs", {
      details: { running_jobs: host.activeJobs() },
      retryable: true,
      retryAfter: 60
    })
  }
  if (!host.profile.repoHealth) {
    return refuse(409, "REPO_CONFIG_MISSING", "The manager repository is not provisioned on this host", {
      retryable: true,
      retryAfter: 60
    })
  }
  const job = host.jobs.create("selfupdate", ["linux-patch-api"])
  host.start(
    job,
    "Self-update started",
    async () => ({ changes: [] }),
    async () => host.restartAgent()
  )
  return accepted(job, "selfupdate", null, "linux-patch-api")
}

const changeOne = (host: StandIn, method: string, name: string): Answer => {
  const closed = invalidName(host, [name]) ?? admission(host)
  if (closed !== undefined) return closed
  if (method === "PUT" && name === "linux-patch-api" && host.profile.selfUpdate) return selfUpdate(host)
  const operation = method === "PUT" ? "update" : "remove"
  const job = host.jobs.create(operation, [name])
  const opening = operation === "update" ? "Starting package update..." : "Starting package removal..."
  host.start(job, opening, (signal) =>
    operation === "update" ? host.backend.upgrade([name], signal) : host.backend.remove(name, signal)
  )
  return accepted(job, operation, null, name)
}

const rebootRefusal = (host: StandIn, force: boolean, acknowledged: boolean): Answer | undefined => {
  const active = host.activeJobs()
  if (host.profile.rebootTiers === "old") {
    return active > 0 && !force
      ? refuse(409, "REBOOT_BLOCKED", "Cannot reboot while jobs are running", { details: { running_jobs: active } })
      : undefined
  }
  if (force && acknowledged && host.profile.realRebootNeed) return undefined
  if (force && host.mutating) {
    return refuse(409, "PACKAGE_DB_MUTATION_IN_PROGRESS", "A package operation is in progress")
  }
  if (!force && active > 0) {
    return refuse(409, "REBOOT_BLOCKED", "Cannot reboot while jobs are active", { details: { active_jobs: active } })
  }
  return undefined
}

const reboot = async (host: StandIn, request: IncomingMessage): Promise<Answer> => {
  const body = await readJson(request, parseReboot)
  if ("answer" in body) return body.answer
  const { delaySeconds, force, acknowledged } = body.value
  const closed = rebootRefusal(host, force, acknowledged) ?? admission(host, 409)
  if (closed !== undefined) return closed
  const minutes = Math.ceil(delaySeconds / 60)
  const job = host.jobs.create("reboot", [])
  host.scheduleReboot(job, minutes)
  return ok(
    {
      job_id: job.id,
      status: "pending",
      operation: "reboot",
      scheduled_at: timestamp(Date.now() + minutes * host.timing.minuteMs),
      delay_seconds: delaySeconds,
      force
    },
    202
  )
}

const decode = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** Answers one call as the host's generation would. */
export const route = async (host: StandIn, request: IncomingMessage): Promise<Answer> => {
  const method = request.method ?? "GET"
  const url = new URL(request.url ?? "/", "https://agent")
  if (url.pathname === "/health") return method === "GET" ? health(host) : plain(405, "", { allow: "GET" })
  if (!url.pathname.startsWith("/api/v1")) return plain(404, "")
  const [, , , resource = "", id, action, extra] = url.pathname.split("/").map(decode)
  if (extra !== undefined) return methodNotAllowed
  switch (`${method} ${resource}`) {
    case "GET health":
      return id === undefined ? health(host) : methodNotAllowed
    case "GET system":
      if (id === "info" && action === undefined) return systemInfo(host)
      return id === "services" && action !== undefined && host.profile.services ? service(action) : methodNotAllowed
    case "POST system":
      return id === "reboot" && action === undefined ? reboot(host, request) : methodNotAllowed
    case "GET packages":
      if (action !== undefined) return methodNotAllowed
      return id === undefined ? packages(host, url.searchParams) : onePackage(host, id)
    case "POST packages":
      return id === undefined ? install(host, request) : methodNotAllowed
    case "PUT packages":
    case "DELETE packages":
      return id === undefined || action !== undefined ? methodNotAllowed : changeOne(host, method, id)
    case "GET patches":
      return id === undefined ? patches(host) : methodNotAllowed
    case "POST patches":
      return id === "apply" && action === undefined ? apply(host, request) : methodNotAllowed
    case "GET jobs": {
      if (id === undefined) return jobList(host, url.searchParams)
      if (action !== undefined) return methodNotAllowed
      if (!uuid.test(id)) return badId(id)
      const job = host.jobs.get(id)
      return job === undefined ? notFound(id) : ok(host.jobs.detail(job))
    }
    case "DELETE jobs":
      return id === undefined || action !== undefined ? methodNotAllowed : deleteJob(host, id)
    case "POST jobs":
      return id !== undefined && action === "rollback" ? rollback(host, id) : methodNotAllowed
    default:
      return methodNotAllowed
  }
}
