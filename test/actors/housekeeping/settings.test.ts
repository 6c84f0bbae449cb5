import { assert, describe, it } from "@effect/vitest"
import { Effect, Queue } from "effect"
import { SqlClient } from "effect/sql"
import { makeSlots, slotLimits } from "#actors/agent/AgentSlots.ts"
import { followSettings } from "#actors/housekeeping/RuntimeSettings.ts"
import { UserId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import { rolePermissions } from "#core/Permission.ts"
import type { SettingValues } from "#core/Settings.ts"
import type { Caller } from "#core/User.ts"
import { changeSettings } from "#sql/SettingsStore.ts"
import { onDatabase } from "#test/sql/commitFixtures.ts"

const admin: Caller = {
  principal: {
    kind: "user",
    user_id: newId(UserId),
    username: "admin",
    role: "admin",
    permissions: new Set(rolePermissions.admin),
    group_ids: [],
    session_id: null,
    token: null
  },
  request_id: "t",
  source_address: "127.0.0.1"
}

describe("settings in the worker", () => {
  it.live("count as soon as they are changed, over what the process was started with", () =>
    onDatabase(
      Effect.gen(function* () {
        const applied = yield* Queue.unbounded<SettingValues>()
        const settings = yield* followSettings({
          beneath: { health_interval_seconds: 77 },
          apply: (now) => Effect.asVoid(Queue.offer(applied, now))
        })
        assert.strictEqual((yield* Queue.take(applied)).health_interval_seconds, 77)
        yield* changeSettings(admin, 0, { agent_concurrency: 5, health_interval_seconds: 40 })
        yield* settings.changed
        const now = yield* Queue.take(applied).pipe(Effect.timeout("5 seconds"))
        assert.deepInclude(now, { agent_concurrency: 5, health_interval_seconds: 40, patch_interval_seconds: 1800 })
        assert.strictEqual((yield* settings.current).agent_concurrency, 5)
      })
    )
  )

  it.live("that cannot be read leave the default in force", () =>
    onDatabase(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`insert into system_config (key, value) values ('agent_concurrency', '"many"')`
        const applied = yield* Queue.unbounded<SettingValues>()
        yield* followSettings({ beneath: {}, apply: (now) => Effect.asVoid(Queue.offer(applied, now)) })
        assert.strictEqual((yield* Queue.take(applied)).agent_concurrency, 64)
      })
    )
  )
})

describe("the number of agent calls", () => {
  it("grows at once for those that wait, and shrinks as calls end", () => {
    const slots = makeSlots({ ...slotLimits(1) })
    const granted: Array<string> = []
    const tickets = ["a", "b", "c", "d"].map((host) => slots.take("command", host, () => granted.push(host)))
    assert.deepEqual(granted, ["a"])
    slots.resize(3)
    assert.deepEqual(granted, ["a", "b", "c"])
    slots.resize(1)
    tickets[0]?.release()
    tickets[1]?.release()
    assert.deepEqual(granted, ["a", "b", "c"])
    tickets[2]?.release()
    assert.deepEqual(granted, ["a", "b", "c", "d"])
  })
})
