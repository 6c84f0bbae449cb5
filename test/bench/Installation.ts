/** What the benches run on: a durable database, a fleet in a process of its own, and hosts registered with certificates. */
import { fork } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import type pg from "pg"
import { ensureAuthority } from "#actors/pki/ensureAuthority.ts"
import { HostId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import { withDatabase, withRole } from "#deploy/DatabaseUrl.ts"
import { processRoles } from "#deploy/postgres/cluster.ts"
import { initialStep, machineVersion, persist, placeOf } from "#machines/step.ts"
import { applyGrants } from "#sql/applyGrants.ts"
import { asOwner, ensureRoles } from "#sql/ensureRoles.ts"
import { migrate } from "#sql/migrate.ts"
import type { ProcessRoles } from "#sql/roles.ts"
import { FleetControl } from "#test/fleet/FleetControl.ts"
import { testClient } from "#test/setup/testClient.ts"
import { mintMany } from "./mintMany.ts"
import type { JobCall } from "./recordJobCalls.ts"

export interface BenchHost {
  readonly id: HostId
  readonly address: string
}

export interface Installation {
  /** The owner's address. */
  readonly url: string
  /** Those of the two processes, with the rights that they have everywhere. */
  readonly urls: ProcessRoles
  readonly folder: string
  readonly secretsDir: string
  readonly hosts: ReadonlyArray<BenchHost>
  readonly port: number
  readonly fleet: FleetControl
  readonly query: <Row extends pg.QueryResultRow>(text: string, values?: ReadonlyArray<unknown>) => Promise<Array<Row>>
  /** Resolves when the host's job list is looked at for the first time from now on: monotonic milliseconds. */
  readonly nextJobCall: (address: string) => Promise<number>
  readonly stop: () => Promise<void>
}

export const monotonicMillis = (at: bigint = process.hrtime.bigint()): number => Number(at) / 1e6

const startFleetProcess = async (folder: string, count: number) => {
  const socket = join(folder, "control.sock")
  const main = new URL("../fleet/main.ts", import.meta.url).pathname
  const recorder = new URL("./recordJobCalls.ts", import.meta.url).href
  const options = ["--dir", join(folder, "fleet"), "--port", "0", "--control", socket, "--fleet", String(count)]
  const child = fork(main, [...options, "--speed", "test", "--profile-mix", "2.7:1", "--no-rate-limit"], {
    execArgv: ["--import", recorder],
    stdio: ["ignore", "pipe", "inherit", "ipc"]
  })
  const waiting = new Map<string, (at: number) => void>()
  child.on("message", ({ address, at }: JobCall) => {
    waiting.get(address)?.(monotonicMillis(BigInt(at)))
    waiting.delete(address)
  })
  const died = once(child, "exit").then((): never => {
    throw new Error("The fleet ended before it served.")
  })
  const [line] = (await Promise.race([once(child.stdout!, "data"), died])) as [Buffer]
  died.catch(() => undefined)
  return {
    port: (JSON.parse(line.toString()) as { readonly port: number }).port,
    control: new FleetControl(socket),
    nextJobCall: (address: string) =>
      new Promise<number>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`No job was begun on ${address} within 60 s`)), 60_000)
        waiting.set(address, (at) => {
          clearTimeout(late)
          resolve(at)
        })
      }),
    stop: async () => {
      const gone = once(child, "exit")
      child.kill("SIGTERM")
      await gone
    }
  }
}

/**
 * New hosts straight into the tables, since the ordinary path takes milliseconds for each. Their packages count as read just now,
 * so that a poll is a health poll: reading everything once costs ten times as much and is no sweep.
 */
const insertHosts = async (client: pg.Client, hosts: ReadonlyArray<BenchHost>, port: number): Promise<void> => {
  const first = await Effect.runPromise(Effect.fromResult(initialStep()))
  const { value, context } = persist(first.snapshot)
  const { link, work, summary } = placeOf(first.snapshot)
  const columns = [hosts.map(({ id }) => id), hosts.map(({ address }) => address)]
  await client.query(
    `insert into hosts (id, display_name, address, agent_port, registered_by)
     select i.id, 'host-' || lpad(i.n::text, 5, '0'), i.address::inet, $3, 'bench'
     from unnest($1::uuid[], $2::text[]) with ordinality as i(id, address, n)`,
    [...columns, port]
  )
  await client.query(
    `insert into host_snapshots (host_id, machine_version, version, link, work, summary, value, context)
     select id, $1, 0, $2, $3, $4, $5, $6 from hosts`,
    [machineVersion, link, work, summary, JSON.stringify(value), JSON.stringify(context)]
  )
  for (const [table, list, counts, zeros] of [
    ["host_patch_data", "patches", "pending, security", "0, 0"],
    ["host_packages", "packages", "total", "0"]
  ]) {
    await client.query(
      `insert into ${table} (host_id, ${list}, ${counts}, content_hash) select id, '[]', ${zeros}, '' from hosts`
    )
  }
  await client.query("analyze")
}

/** `serverUrl` is a running PostgreSQL; the database made there is dropped on stop. */
export const install = async (serverUrl: string, count: number): Promise<Installation> => {
  const folder = await mkdtemp(join(tmpdir(), "bench-"))
  const secretsDir = join(folder, "secrets")
  const name = `bench_${process.pid}_${count}`
  const server = testClient(serverUrl)
  await server.connect()
  await server.query(`create database ${name}`)
  const url = withDatabase(serverUrl, name)
  await migrate(url)
  await asOwner(url, Effect.andThen(ensureRoles(processRoles), applyGrants(processRoles)))
  const client = testClient(url)
  await client.connect()
  const authority = await Effect.runPromise(ensureAuthority(secretsDir))
  const fleet = await startFleetProcess(folder, count)
  await fleet.control.setCa(authority.ca.certificate_pem)
  const hosts = (await fleet.control.hosts()).map(({ address }) => ({ id: newId(HostId), address }))
  const identities = await mintMany(secretsDir, hosts)
  for (let i = 0; i < identities.length; i += 500) await fleet.control.setIdentities(identities.slice(i, i + 500))
  await insertHosts(client, hosts, fleet.port)
  return {
    url,
    urls: { web: withRole(url, processRoles.web), worker: withRole(url, processRoles.worker) },
    folder,
    secretsDir,
    hosts,
    port: fleet.port,
    fleet: fleet.control,
    nextJobCall: fleet.nextJobCall,
    query: async (text, values = []) => (await client.query(text, [...values])).rows,
    stop: async () => {
      await fleet.stop()
      await client.end()
      await server.query(`drop database ${name} with (force)`)
      await server.end()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** Asks until it holds; for things that take seconds. */
export const waitUntil = async (what: string, holds: () => Promise<boolean>, deadlineMs: number): Promise<void> => {
  const end = Date.now() + deadlineMs
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`Waited ${deadlineMs / 1000} s in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
