/** What plans are made of: hosts as they were last read, for up to 10,000 of them in a few statements. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { HostId, JobId } from "#core/Ids.ts"
import type { JobKind } from "#core/Order.ts"
import type { PackageFormat } from "#core/Package.ts"
import type { PlanHost, PlanPatch } from "#core/plan/PlanFacts.ts"
import { compareDeb, compareRpm } from "#core/Version.ts"
import type { Principal } from "#core/User.ts"
import { busyWith } from "./busyWith.ts"
import { readActiveHolds } from "./HoldStore.ts"
import { hostScope } from "./hostScope.ts"
import { readServiceChecks } from "./ServiceCheckStore.ts"
import { readEffectiveWindows } from "./WindowStore.ts"
import { noWindows } from "#core/window/effective.ts"

type PatchRow = readonly [
  name: string,
  current: string | null,
  available: string | null,
  security: boolean,
  reboot: boolean
]
type PackageRow = readonly [name: string, version: string, available: ReadonlyArray<string> | null]

type Row = Omit<PlanHost, "holds" | "services" | "windows" | "patches" | "installed" | "obtainable"> & {
  readonly patches: ReadonlyArray<PatchRow> | null
  readonly packages: ReadonlyArray<PackageRow> | null
  /** Removed by the run that is undone, as they were before it. */
  readonly gone: ReadonlyArray<PackageRow>
}

/** How long a share of such a job takes: nine of ten of this host's last twenty took less, else of the fleet's, else a guess. */
const GUESSED_SECONDS = 120

const patchOf = ([name, current_version, available_version, security, requires_reboot]: PatchRow): PlanPatch => ({
  name,
  current_version,
  available_version,
  security,
  requires_reboot
})

/** The newest where several are installed side by side, as kernels are. Without a prototype: a package may be called "constructor". */
const versionsOf = (packages: ReadonlyArray<PackageRow>, format: PackageFormat): Record<string, string> => {
  const compare = format === "rpm" ? compareRpm : compareDeb
  const versions: Record<string, string> = Object.create(null)
  for (const [name, version] of packages) {
    const known = versions[name]
    if (known === undefined || compare(version, known) > 0) versions[name] = version
  }
  return versions
}

const obtainableOf = (packages: ReadonlyArray<PackageRow>): Record<string, ReadonlyArray<string>> => {
  const obtainable: Record<string, ReadonlyArray<string>> = Object.create(null)
  for (const [name, , available] of packages) if (available !== null) obtainable[name] = available
  return obtainable
}

export interface PlanHostsRequest {
  readonly principal: Principal
  readonly kind: JobKind
  readonly host_ids: ReadonlyArray<HostId>
  /** Packages to look at besides those with a pending patch. */
  readonly names: ReadonlyArray<string>
  /** The job that a rollback undoes. */
  readonly undone_job_id: JobId | null
}

/** In the order asked for; hosts that the caller may not see are missing. */
export const readPlanHosts = Effect.fnUntraced(function* (request: PlanHostsRequest) {
  const sql = yield* SqlClient.SqlClient
  const { host_ids, kind, names, principal, undone_job_id } = request
  const lists = kind !== "reboot"
  const rows = yield* sql<{ host: Row }>`
    with took as (
      select percentile_cont(0.95) within group (order by extract(epoch from t.finished_at - t.started_at)) as seconds
      from (
        select o.started_at, o.finished_at from patch_job_hosts o join patch_jobs j on j.id = o.job_id
        where j.kind = ${kind} and o.started_at is not null and o.finished_at is not null
        order by o.id desc limit 500
      ) t
    )
    select json_build_object(
      'host_id', h.id, 'host_name', h.display_name, 'link', s.link,
      'last_seen_at', floor(extract(epoch from h.last_seen_at) * 1000),
      'leaving', h.removal_requested_at is not null, 'parked', s.parked_reason is not null,
      'agent_version', h.agent_version, 'format', h.package_format, 'reboot_needed', h.reboot_needed,
      'patches_read_at', floor(extract(epoch from p.read_at) * 1000),
      'patches', case when p.host_id is not null and ${lists} then (
        select coalesce(json_agg(json_build_array(x->>'name', x->>'current_version', x->>'available_version',
          coalesce((x->>'security')::boolean, false), coalesce((x->>'requires_reboot')::boolean, false))), '[]')
        from jsonb_array_elements(p.patches) x) end,
      'packages', case when k.host_id is not null and ${lists} then (
        select coalesce(json_agg(json_build_array(x->>'name', x->>'version', x->'available_versions')), '[]')
        from jsonb_array_elements(k.packages) x
        where x->>'name' = any(${names}::text[]) or x->>'name' in (
          select y->>'name' from jsonb_array_elements(p.patches) y
          union all select e->>'name' from jsonb_array_elements(u.effects) e)) end,
      'gone', case when u.order_id is not null then (
        select coalesce(json_agg(json_build_array(x->>'name', x->>'version', x->'available_versions')), '[]')
        from jsonb_array_elements(u.packages_before) x
        where x ? 'available_versions' and x->>'name' in (
          select e->>'name' from jsonb_array_elements(u.effects) e where e->>'to' is null)) else '[]'::json end,
      'busy_with', ${busyWith(sql, { host: "h.id", order: "null::uuid", jobNumber: "null::bigint" })}, 'unresolved', s.work = 'unresolved',
      'expected_seconds', ceil(coalesce(d.seconds, (select seconds from took), ${GUESSED_SECONDS})),
      'undone', case when u.order_id is not null then json_build_object('order_id', u.order_id,
        'agent_job_id', u.agent_job_id, 'effects', u.effects) end) as host
    from unnest(${host_ids}::uuid[]) with ordinality wanted(id, place)
    join hosts h on h.id = wanted.id and h.removed_at is null and ${hostScope(sql, principal)}
    join host_snapshots s on s.host_id = h.id
    left join host_patch_data p on p.host_id = h.id
    left join host_packages k on k.host_id = h.id
    left join lateral (
      select percentile_cont(0.95) within group (order by extract(epoch from t.finished_at - t.started_at)) as seconds
      from (
        select o.started_at, o.finished_at from patch_job_hosts o join patch_jobs j on j.id = o.job_id
        where o.host_id = h.id and j.kind = ${kind} and o.started_at is not null and o.finished_at is not null
        order by o.finished_at desc limit 20
      ) t
    ) d on true
    left join lateral (
      select o.id as order_id, o.agent_job_id, e.effects, e.packages_before
      from patch_job_hosts o left join order_effects e on e.order_id = o.id
      where o.host_id = h.id and o.job_id = nullif(${undone_job_id ?? ""}::text, '')::uuid
    ) u on ${undone_job_id !== null}
    order by wanted.place`
  const found = rows.map((row) => row.host)
  const ids = found.map((host) => host.host_id)
  const holds = yield* readActiveHolds(ids)
  const services = yield* readServiceChecks(ids)
  const windows = yield* readEffectiveWindows(ids)
  return found.map(({ patches, packages, gone, ...host }): PlanHost => ({
    ...host,
    patches: patches === null ? null : patches.map(patchOf),
    installed: packages === null ? null : versionsOf(packages, host.format),
    obtainable: obtainableOf([...gone, ...(packages ?? [])]),
    holds: holds.get(host.host_id) ?? [],
    services: services.get(host.host_id) ?? [],
    windows: windows.get(host.host_id) ?? noWindows
  }))
})
