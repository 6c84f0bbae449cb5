/** A host of the fleet whose agent works with the real apt on a root directory, registered and healthy. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { buildDeb, type DebSpec, installInto, makeRoot, updateLists } from "#test/fleet/aptRoot.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import type { ProfileName } from "#test/fleet/Profile.ts"
import { runCommand } from "#test/fleet/runCommand.ts"
import type { Web } from "#test/harness/startWeb.ts"
import type { World } from "#test/harness/World.ts"

export interface PlannedAnswer {
  readonly changes: ReadonlyArray<{
    readonly name: string
    readonly from: string | null
    readonly to: string | null
  }> | null
  readonly reboot: string
  readonly skipped: string | null
  readonly undo: { readonly answer: string; readonly because: string }
}

export interface ShareAnswer {
  readonly state: string
  readonly outcome: {
    readonly verdict: string
    readonly message: string
    readonly rebooted: boolean
    readonly installed: Readonly<Record<string, string | null>>
  } | null
  readonly effects: PlannedAnswer["changes"]
  readonly undo: PlannedAnswer["undo"] | null
}

interface JobAnswer {
  readonly id: string
  readonly finished_at: string | null
  readonly state: string
}

export const makeAptHost = async (world: World, web: Web, options: { address: string; profile: ProfileName }) => {
  const { address, profile } = options
  const folder = await mkdtemp(join(tmpdir(), "apt-host-"))
  const root = join(folder, "root")
  const repo = join(folder, "repo")
  await makeRoot(root, repo)
  const fqdn = `${profile.replaceAll(".", "-")}-${address.replaceAll(".", "-")}.example.test`
  world.fleet.addHost({ address, fqdn, profile, apt: { root, repo } })
  const host = await web.call<{ id: string }>("POST", "/api/v1/hosts", { address, fqdn, agent_port: world.fleet.port })
  const identity = await web.call<{ private_key_pem: string; certificate_pem: string }>(
    "POST",
    `/api/v1/hosts/${host.id}/certificate`
  )
  world.fleet.setIdentity(address, identity)

  const readAt = async () =>
    (await web.call<{ patches_read_at: string | null }>("GET", `/api/v1/hosts/${host.id}`)).patches_read_at
  /** The manager knows what the host has now. */
  const refresh = async () => {
    await updateLists(root)
    const before = await readAt()
    await web.call("POST", `/api/v1/hosts/${host.id}/refresh`)
    await until(readAt, (now) => now !== null && now !== before, 20_000)
  }
  const job = (more: object) => ({ host_ids: [host.id], when: { kind: "immediate" }, ...more })
  /** Waits for the end of a job and reads the host's share of it. */
  const ended = async (id: string) => {
    await until(
      () => web.call<JobAnswer>("GET", `/api/v1/jobs/${id}`),
      (seen) => seen.finished_at !== null,
      90_000
    )
    const hosts = await web.call<{ items: ReadonlyArray<ShareAnswer> }>("GET", `/api/v1/jobs/${id}/hosts`)
    return hosts.items[0]!
  }
  const start = async (path: string, body: object) => (await web.call<JobAnswer>("POST", path, body)).id
  return {
    id: host.id,
    root,
    refresh,
    ended,
    start,
    build: (spec: DebSpec) => buildDeb(repo, spec),
    install: (name: string, version?: string) => installInto(root, name, version),
    /** All packages and versions, by dpkg-query. */
    everything: async () =>
      (await runCommand("dpkg-query", [`--admindir=${root}/var/lib/dpkg`, "-W"], { deadlineMs: 20_000 })).stdout,
    /** As a package's own script leaves it. */
    oweReboot: async () => {
      await mkdir(join(root, "var/run"), { recursive: true })
      await writeFile(join(root, "var/run/reboot-required"), "")
    },
    plan: async (more: object) =>
      (await web.call<{ hosts: ReadonlyArray<PlannedAnswer> }>("POST", "/api/v1/jobs/plan", job(more))).hosts[0]!,
    run: async (more: object) => {
      const id = await start("/api/v1/jobs", job(more))
      return { id, share: await ended(id) }
    },
    stop: () => rm(folder, { recursive: true, force: true })
  }
}
export type AptHost = Awaited<ReturnType<typeof makeAptHost>>
