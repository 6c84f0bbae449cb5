/** Every kind of order from its job's row to the evidence, on an agent of today and on the next one. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { JobId } from "#core/Ids.ts"
import type { Change } from "#core/Package.ts"
import type { JobOrder } from "#sql/insertJob.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import { makeWorld, type World, type WorldHost } from "#test/harness/World.ts"

const profiles = ["2.7", "next"] as const

let world: World
beforeAll(async () => {
  world = await makeWorld({
    hosts: profiles.map((profile, n) => ({ address: `127.78.42.${n + 1}`, profile, distro: "ubuntu-24.04" }))
  })
  await world.startWorker()
})
afterAll(() => world.stop())

interface Ended {
  readonly id: string
  readonly verdict: string
  readonly message: string
  readonly agent_job_id: string | null
  readonly effects: ReadonlyArray<Change> | null
}

describe.each(profiles.map((profile, index) => ({ profile, index })))(
  "an agent of generation $profile",
  ({ profile, index }) => {
    const goesBack = profile === "next"
    const host = (): WorldHost => {
      const found = world.hosts[index]
      if (found === undefined) throw new Error("no such host")
      return found
    }
    const installed = async () =>
      Object.fromEntries(
        (await world.fleet.truth(host().address)).installed.map(({ name, version }) => [name, version])
      )

    const order = async (wanted: Partial<JobOrder>, share: Partial<JobOrder["hosts"][number]> = {}): Promise<Ended> => {
      const job: JobId = await world.apply([host()], {
        ...wanted,
        hosts: [
          {
            host_id: host().id,
            wave: 1,
            planned: null,
            foretold: null,
            expected_seconds: 0,
            parent_order_id: null,
            undone_agent_job_id: null,
            ...share
          }
        ]
      })
      const [row] = await until(
        () =>
          world.query<Ended & { readonly finished: boolean }>(
            `select h.id, h.outcome->>'verdict' as verdict, h.outcome->>'message' as message, h.agent_job_id, e.effects,
             h.finished_at is not null as finished
           from patch_job_hosts h left join order_effects e on e.order_id = h.id where h.job_id = $1`,
            [job]
          ),
        ([found]) => found?.finished === true,
        20_000
      )
      if (row === undefined) throw new Error("the job has no host")
      return row
    }
    const actions = async (id: string) =>
      (
        await world.query<{ action: string; verdict: string }>(
          "select action, verdict from host_intents where order_id = $1 order by opened_version",
          [id]
        )
      ).map(({ action, verdict }) => `${action} ${verdict}`)
    const named = (name: string, version: string | null = null) => ({ packages: [{ name, version }] })

    it("installs, updates and removes one package, and keeps what each run changed", async () => {
      const before = await installed()
      const removed = await order({ kind: "package_remove", ...named("curl") })
      expect(removed).toMatchObject({ verdict: "done", effects: [{ name: "curl", from: before["curl"], to: null }] })
      expect(await actions(removed.id)).toEqual(["remove ran"])
      const back = await order({ kind: "package_install", ...named("curl", before["curl"]) })
      expect(back).toMatchObject({ verdict: "done", effects: [{ name: "curl", from: null, to: before["curl"] }] })
      expect(await actions(back.id)).toEqual(["install ran"])
      world.fleet.publish(host().address, "curl")
      const updated = await order({ kind: "package_update", ...named("curl") })
      const now = (await installed())["curl"]
      expect(now).not.toBe(before["curl"])
      expect(updated).toMatchObject({ verdict: "done", effects: [{ name: "curl", from: before["curl"], to: now }] })
      expect(await actions(updated.id)).toEqual(["update ran"])
      expect(await order({ kind: "package_update", ...named("curl") })).toMatchObject({ verdict: "nothing_to_do" })
    })

    it("stops where the plan has changed, and takes the planned version where it is pinned", async () => {
      const { address } = host()
      const first = world.fleet.publish(address, "bash")
      const second = world.fleet.publish(address, "bash")
      const planned = [{ name: "bash", from: first?.current ?? null, to: first?.available ?? null }]
      const stopped = await order({ kind: "patch_apply", on_change: "stop" }, { planned })
      expect(stopped.verdict).toBe("plan_changed")
      expect(stopped.message).toContain(
        `bash was planned as ${first?.available} and the host has ${second?.available} now`
      )
      expect(await actions(stopped.id)).toEqual([])
      const pinned = await order({ kind: "patch_apply", on_change: "stop", pin_versions: true }, { planned })
      expect(pinned).toMatchObject({ verdict: "done", effects: planned })
      expect(await actions(pinned.id)).toEqual(["install ran"])
    })

    it(goesBack ? "undoes a run by versions, down to the same list" : "cannot undo a run by versions", async () => {
      world.fleet.publish(host().address, "bash")
      const before = await installed()
      const run = await order({ kind: "patch_apply", selection: { kind: "packages", names: ["bash"] } })
      const after = await installed()
      const planned = (run.effects ?? []).map(({ name, from, to }) => ({ name, from: to, to: from }))
      expect(planned).toHaveLength(1)
      const undone = await order(
        { kind: "rollback", method: "versions", on_change: "stop" },
        { planned, parent_order_id: run.id as never }
      )
      expect(undone.verdict).toBe(goesBack ? "done" : "failed")
      expect(await installed()).toEqual(goesBack ? before : after)
      if (!goesBack) expect(undone.message).toContain("--allow-downgrades")
    })

    it(goesBack ? "undoes a run by the agent's rollback" : "says plainly that the agent never began", async () => {
      world.fleet.publish(host().address, "libc6")
      const before = await installed()
      const run = await order({ kind: "patch_apply", selection: { kind: "packages", names: ["libc6"] } })
      const after = await installed()
      const planned = (run.effects ?? []).map(({ name, from, to }) => ({ name, from: to, to: from }))
      const undone = await order(
        { kind: "rollback", method: "agent" },
        { planned, undone_agent_job_id: run.agent_job_id, parent_order_id: run.id as never }
      )
      expect(undone.verdict).toBe(goesBack ? "done" : "not_executed")
      expect(await actions(undone.id)).toEqual([goesBack ? "rollback ran" : "rollback abandoned"])
      expect(await installed()).toEqual(goesBack ? before : after)
      // The rollback that waits on the agent keeps no later order away.
      expect(await order({ kind: "package_remove", ...named("curl") })).toMatchObject({ verdict: "done" })
    })

    it("restarts the host, and says why an agent of today refuses while a rollback waits on it", async () => {
      const restarted = await order({ kind: "reboot" })
      expect(restarted.verdict).toBe(goesBack ? "done" : "refused")
      expect(await actions(restarted.id)).toEqual([goesBack ? "reboot ran" : "reboot no_effect"])
    })

    it("fails where a service does not survive it", async () => {
      const { address, id } = host()
      await world.query("insert into service_checks (host_id, services) values ($1, '{cron}')", [id])
      world.fleet.misbehave(address, { kind: "break_service", unit: "cron", times: 1 })
      const down = await order({ kind: "package_install", ...named("curl") })
      expect(down).toMatchObject({ verdict: "service_down" })
      const stopped = await order({ kind: "package_remove", ...named("curl") })
      expect(stopped).toMatchObject({ verdict: "pre_check_failed" })
      expect(stopped.message).toContain("cron is not running")
    })
  }
)
