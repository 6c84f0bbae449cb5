/**
 * The twelve ways to tamper with the audit log (row F89 of the list of faults), each by SQL as the owner of the database with the
 * triggers off: our verifier and the stand-alone one, which shares no code with it, name each and its first row.
 */
import { createPrivateKey, generateKeyPairSync, sign } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { checkpointText } from "#core/audit/Checkpoint.ts"
import { keyIdOf } from "#actors/audit/AuditKey.ts"
import { type AuditWorld, rehashFrom, startAuditWorld } from "#test/sql/auditWorld.ts"

let world: AuditWorld

/** Rows 1 to 60; checkpoints for 20, 40 and 60. */
beforeEach(async () => {
  world = await startAuditWorld()
  await world.append(19)
  await world.checkpoint()
  await world.append(20)
  await world.checkpoint()
  await world.append(20)
  await world.checkpoint()
})
afterEach(() => world.stop())

const bothFind = async (kind: string, first_seq: number) => {
  // First, since the run's result is a row of the log itself.
  const file = await world.exportTo("export.ndjson")
  const run = await world.verify()
  const told = run.findings.map((one) => ({ kind: one.kind, first_seq: one.first_seq }))
  expect(told[0], JSON.stringify(run.findings)).toEqual({ kind, first_seq })
  expect(run.state).toBe("failed")
  const alone = await world.offline(file)
  expect(alone.found[0], alone.text).toEqual({ kind, first_seq })
  expect(alone.code).toBe(2)
  const alarms = await world.rows<{ message: string }>(
    "select message from alarms where kind = 'audit_log' and cleared_at is null"
  )
  expect(alarms[0]?.message).toContain("failed its verification")
  expect(await world.rows("select 1 from outbox where kind = 'audit_finding'")).toHaveLength(1)
  return { told, alone }
}

const shift = (from: number, by: number): string =>
  `update audit_log set seq = seq + 1000 + ${by} where seq >= ${from}; update audit_log set seq = seq - 1000 where seq > 1000`

describe("the audit log, tampered with", () => {
  it("is whole before", async () => {
    const run = await world.verify()
    expect({ state: run.state, findings: run.findings, done: run.rows_done, points: run.checkpoints_checked }).toEqual({
      state: "passed",
      findings: [],
      done: 60,
      points: 3
    })
    const alone = await world.offline(await world.exportTo("export.ndjson"))
    expect(alone).toMatchObject({ code: 0, found: [] })
  })

  it("1 a body altered", async () => {
    await world.tamper(`update audit_log set actor_name = 'eve' where seq = 33`)
    await bothFind("body_altered", 33)
  })

  it("2 a hash altered", async () => {
    await world.tamper(`update audit_log set row_hash = sha256('x') where seq = 33`)
    await bothFind("hash_altered", 33)
  })

  it("2 a body and its hash altered", async () => {
    await world.tamper(
      `update audit_log a set actor_name = 'eve' where seq = 33`,
      `update audit_log a set row_hash = sha256(audit_canonical(a)) where seq = 33`
    )
    await bothFind("hash_altered", 33)
  })

  it("3 a row deleted", async () => {
    await world.tamper(`delete from audit_log where seq = 33`)
    await bothFind("row_deleted", 33)
  })

  it("3 a row deleted and the rest numbered anew", async () => {
    await world.tamper(`delete from audit_log where seq = 33`, shift(34, -1), `update audit_head set seq = 59`)
    await bothFind("row_deleted", 33)
  })

  it("4 two rows swapped, next to each other", async () => {
    await world.tamper(
      `update audit_log set seq = 1000 where seq = 33`,
      `update audit_log set seq = 33 where seq = 34`,
      `update audit_log set seq = 34 where seq = 1000`
    )
    await bothFind("rows_swapped", 33)
  })

  it("4 two rows swapped, apart, their links left in place", async () => {
    await world.tamper(`
      with a as (select * from audit_log where seq in (31, 37))
      update audit_log l set object_id = o.object_id, before = o.before, after = o.after, at = o.at
      from a o where (l.seq = 31 and o.seq = 37) or (l.seq = 37 and o.seq = 31)`)
    await bothFind("rows_swapped", 31)
  })

  it("5 a row inserted", async () => {
    await world.tamper(
      shift(33, 1),
      `insert into audit_log select 33, at, actor_kind, actor_id, 'eve', action, object_type, object_id, before, after,
         request_id, source_address, row_hash, row_hash from audit_log where seq = 32`,
      `update audit_log a set row_hash = sha256(audit_canonical(a)) where seq = 33`,
      `update audit_head set seq = 61`
    )
    await bothFind("row_inserted", 33)
  })

  it("5 a row inserted behind the head", async () => {
    await world.tamper(
      `insert into audit_log select 61, at, actor_kind, actor_id, 'eve', action, object_type, object_id,
      before, after, request_id, source_address, row_hash, row_hash from audit_log where seq = 60`,
      `update audit_log a set row_hash = sha256(audit_canonical(a)) where seq = 61`
    )
    await bothFind("row_inserted", 61)
  })

  it("6 a number twice", async () => {
    await world.tamper(
      `alter table audit_log drop constraint audit_log_pkey`,
      `insert into audit_log select * from audit_log where seq = 33`
    )
    await bothFind("sequence_doubled", 33)
  })

  it("7 a gap in the numbers, hashed anew", async () => {
    await world.tamper(shift(33, 1), rehashFrom(34).replace("seq = 34 - 1", "seq = 32"))
    await bothFind("sequence_gap", 33)
  })

  it("8 the tail cut", async () => {
    await world.tamper(`delete from audit_log where seq > 52`)
    await bothFind("tail_cut", 53)
  })

  it("9 the tail cut and the head rewritten", async () => {
    await world.tamper(
      `delete from audit_log where seq > 52`,
      `update audit_head set seq = 52, row_hash = (select row_hash from audit_log where seq = 52)`
    )
    await bothFind("tail_cut_head_rewritten", 53)
  })

  it("10 the rows from one on altered and hashed anew", async () => {
    await world.tamper(`update audit_log set actor_name = 'eve' where seq = 41`, rehashFrom(41))
    await bothFind("suffix_rehashed", 41)
  })

  it("11 the whole log replaced by an older one", async () => {
    await world.tamper(
      `delete from audit_log where seq > 45`,
      `update audit_head set seq = 45, row_hash = (select row_hash from audit_log where seq = 45)`,
      `delete from audit_checkpoints where size > 45`
    )
    await bothFind("log_replaced", 46)
  })

  it("11 the whole log replaced by a foreign one", async () => {
    await world.tamper(`update audit_log set actor_name = 'eve' where seq = 1`, rehashFrom(1))
    await bothFind("log_replaced", 1)
  })

  it("12 a checkpoint altered", async () => {
    await world.tamper(`update audit_checkpoints set row_hash = sha256('x') where size = 40`)
    await bothFind("checkpoint_altered", 40)
  })

  it("12 a checkpoint replaced by one of another key", async () => {
    const other = generateKeyPairSync("ed25519")
    await world.tamper(`update audit_log set actor_name = 'eve' where seq = 41`, rehashFrom(41))
    const [last] = await world.rows<{ hash: string }>("select encode(row_hash, 'hex') as hash from audit_head")
    const point = { ...world.points[2]!, row_hash: last!.hash, key_id: keyIdOf(other.publicKey) }
    const signature = sign(
      null,
      Buffer.from(checkpointText(point)),
      createPrivateKey(other.privateKey.export({ type: "pkcs8", format: "pem" }))
    )
    await world.rows(
      "update audit_checkpoints set row_hash = decode($1, 'hex'), key_id = $2, signature = $3 where size = 60",
      [point.row_hash, point.key_id, signature]
    )
    const { alone, told } = await bothFind("suffix_rehashed", 41)
    expect(told).toContainEqual({ kind: "checkpoint_altered", first_seq: 60 })
    expect(alone.found).toContainEqual({ kind: "checkpoint_altered", first_seq: 60 })
  })

  it("12 a checkpoint taken out of the database, and one out of the file", async () => {
    await world.tamper(`delete from audit_checkpoints where size = 40`)
    await bothFind("checkpoint_altered", 40)
    const lines = readFileSync(world.outsideFile, "utf8").split("\n")
    writeFileSync(world.outsideFile, [lines[0], lines[2], ""].join("\n"))
    const run = await world.verify()
    expect(run.findings[0]).toMatchObject({ kind: "checkpoint_altered", first_seq: 60 })
  })

  it("is found by the worker itself at its next look, the tail cut and the head rewritten", async () => {
    const guard = await world.checkpointer()
    await world.run(guard.look)
    await world.tamper(
      `delete from audit_log where seq > 52`,
      `update audit_head set seq = 52, row_hash = (select row_hash from audit_log where seq = 52)`
    )
    await world.append(4)
    await world.run(guard.look)
    expect(await world.rows("select 1 from alarms where kind = 'audit_log' and cleared_at is null")).toHaveLength(1)
    expect(await world.rows("select 1 from audit_verifications where state = 'queued'")).toHaveLength(1)
    expect(world.points).toHaveLength(3)
  })

  it("is not signed for by the worker: what it did not verify gets no checkpoint", async () => {
    await world.append(5)
    await world.tamper(`update audit_log set actor_name = 'eve' where seq = 63`)
    const guard = await world.checkpointer()
    await world.run(guard.sign(65))
    expect(world.points).toHaveLength(3)
    expect(await world.rows("select 1 from alarms where kind = 'audit_log' and cleared_at is null")).toHaveLength(1)
  })

  it("raises its alarm until a verification passes", async () => {
    await world.tamper(`update audit_log set actor_name = 'eve' where seq = 33`)
    await bothFind("body_altered", 33)
    await world.tamper(`update audit_log set actor_name = 'test' where seq = 33`)
    expect((await world.verify()).state).toBe("passed")
    expect(await world.rows("select 1 from alarms where cleared_at is null")).toEqual([])
    const told = await world.rows<{ action: string }>(
      "select action from audit_log where action like 'audit.%' order by seq"
    )
    expect(told.map(({ action }) => action)).toEqual(["audit.verification_failed", "audit.verification_passed"])
  })
})
