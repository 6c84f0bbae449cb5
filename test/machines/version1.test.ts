/** Snapshots as the first release stored them: this machine reads each of them and goes on. */
import { readFileSync } from "node:fs"
import { Result } from "effect"
import { describe, expect, it } from "vitest"
import type { HostEvent } from "#core/HostEvent.ts"
import { expectedTimers, persist, placeOf, restore, step } from "#machines/step.ts"

interface StoredV1 {
  readonly name: string
  readonly work: string
  readonly link: string
  readonly timers: ReadonlyArray<string>
  readonly at: number
  readonly value: unknown
  readonly context: Record<string, unknown>
}

const stored: ReadonlyArray<StoredV1> = JSON.parse(
  readFileSync(new URL("../fixtures/machines/hostSnapshotsV1.json", import.meta.url), "utf8")
)

const read = ({ value, context }: StoredV1) => Result.getOrThrow(restore({ machine_version: 1, value, context }))

it("there are twenty, none with a key of version 2", () => {
  expect(stored).toHaveLength(20)
  for (const { context } of stored) expect(context).not.toHaveProperty("services_before")
})

describe.each(stored)("$name", (one) => {
  it("is read, with the timers it had", () => {
    const snapshot = read(one)
    expect(placeOf(snapshot)).toMatchObject({ work: one.work, link: one.link })
    expect([...expectedTimers(snapshot)].sort()).toEqual(one.timers)
    expect(persist(snapshot).context).toMatchObject(one.context)
  })

  it("goes on: each deadline and a restart lead somewhere, and what is stored then is read again", () => {
    const events: ReadonlyArray<HostEvent> = [
      { type: "resumed", at: one.at },
      ...one.timers.map((id) => ({ type: id as `xstate.after.${string}`, at: one.at + 86_400_000 }))
    ]
    for (const event of events) {
      const after = Result.getOrThrow(step(read(one), event)).snapshot
      const { value, context } = JSON.parse(JSON.stringify(persist(after))) as StoredV1
      expect(persist(Result.getOrThrow(restore({ machine_version: 2, value, context })))).toEqual(persist(after))
    }
  })
})

it("an order of version 1 is carried to its end", () => {
  const running = stored.find(({ name }) => name === "patching.running")
  if (running === undefined) throw new Error("no such snapshot")
  let snapshot = read(running)
  const take = (event: HostEvent) => {
    snapshot = Result.getOrThrow(step(snapshot, event)).snapshot
  }
  const { at } = running
  const id = snapshot.context.job_id
  if (id === null) throw new Error("a running job has an id")
  take({
    type: "job",
    at,
    call: snapshot.context.seq,
    job: {
      id,
      operation: "patchapply",
      status: "completed",
      created_at: null,
      progress_percent: 100,
      message: "",
      logs: [],
      error: null,
      error_code: null,
      retryable: false
    }
  })
  take({
    type: "evidence",
    at,
    call: snapshot.context.seq,
    evidence: {
      at,
      installed: { openssl: "2" },
      uptime_seconds: 100_000,
      reboot_needed: false,
      database_clean: true,
      active_job_id: null,
      services: {}
    }
  })
  expect(snapshot.context.outcome).toMatchObject({ verdict: "done", installed: { openssl: "2" } })
})
