/** Hosts with lists as if a worker had read them, and jobs as if it had carried them out. */
import type { TestWeb } from "./TestWeb.ts"

export interface ListedPatch {
  readonly name: string
  readonly from: string
  readonly to: string
  readonly security?: boolean
}

export const makeJobWorld = (web: TestWeb, token: string) => {
  let keys = 0
  const post = (path: string, body: object, key = `key-${++keys}`, as = token) =>
    web.call("POST", path, { token: as, body, headers: { "idempotency-key": key } })

  const list = async (
    host: string,
    patches: ReadonlyArray<ListedPatch>,
    { agent = "2.7.0", installed = {} }: { readonly agent?: string; readonly installed?: Record<string, unknown> } = {}
  ) => {
    await web.rows(
      "update hosts set agent_version = $2, package_format = 'deb', reboot_needed = false, last_seen_at = now() where id = $1",
      [host, agent]
    )
    await web.rows("update host_snapshots set link = 'healthy', summary = 'healthy' where host_id = $1", [host])
    const rows = patches.map(({ name, from, to, security = false }) => ({
      name,
      current_version: from,
      available_version: to,
      severity: "medium",
      security,
      requires_reboot: false,
      description: "",
      cve_ids: []
    }))
    await web.rows(
      `insert into host_patch_data (host_id, patches, pending, security, content_hash, read_at)
       values ($1, $2, $3, 0, '', now())
       on conflict (host_id) do update set patches = excluded.patches, pending = excluded.pending, read_at = now()`,
      [host, JSON.stringify(rows), rows.length]
    )
    const packages = [
      ...patches.map(({ name, from }) => ({ name, version: from, ...Object(installed[name]) })),
      ...Object.entries(installed)
        .filter(([name]) => !patches.some((patch) => patch.name === name))
        .map(([name, more]) => ({ name, ...Object(more) }))
    ]
    await web.rows(
      `insert into host_packages (host_id, packages, total, content_hash, read_at) values ($1, $2, $3, '', now())
       on conflict (host_id) do update set packages = excluded.packages, read_at = now()`,
      [host, JSON.stringify(packages), packages.length]
    )
  }

  /** Ends a host's share of a job the way the worker writes it. */
  const end = async (
    job: string,
    host: string,
    state: "succeeded" | "failed" | "deferred" | "cancelled",
    outcome: object = {},
    effects?: ReadonlyArray<object>
  ) => {
    const rows = await web.rows<{ id: string }>(
      `update patch_job_hosts set state = $3, ended = true, started_at = now() - interval '40 seconds', finished_at = now(),
         agent_job_id = 'agent-job', waits_for = null,
         outcome = jsonb_build_object('order_id', id, 'verdict', 'done', 'message', 'Said so.', 'ran', true,
           'reboot_pending', false, 'rebooted', false, 'changes', coalesce(planned, '[]'), 'installed', '{}'::jsonb,
           'error_code', null, 'failure', null) || $4::jsonb
       where job_id = $1 and host_id = $2 returning id`,
      [job, host, state, JSON.stringify(outcome)]
    )
    if (effects !== undefined) {
      await web.rows("insert into order_effects (order_id, packages_before, effects) values ($1, '[]', $2)", [
        rows[0]?.id,
        JSON.stringify(effects)
      ])
    }
  }
  return { post, list, end }
}
