/** The scheduler's decisions, stepping through time with random stops, against what the simulation says beforehand. */
import type { WindowOutcome } from "#core/Window.ts"
import { dueFirings, type Firing, firingKey, firings, nextOpening, type WindowFleet } from "#core/window/firings.ts"
import { kinds, randomFrom, ruleFrom } from "./compare.ts"
import { apply, groupId, hostId, windowFrom } from "./windowsFrom.ts"

const MINUTE = 60_000
const zones = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia"]

/** A few windows, blackouts and hosts in groups, all by seed. */
const fleetFrom = (random: (below: number) => number, start: number): WindowFleet => {
  const windows = Array.from({ length: 1 + random(4) }, (_, n) => {
    const scopes = [
      { kind: "group", group_id: groupId(random(3)) },
      { kind: "host", host_id: hostId(random(4)) },
      { kind: "all" }
    ] as const
    const kind = random(4) === 0 ? ("blackout" as const) : ("open" as const)
    return windowFrom(n, {
      kind,
      scope: scopes[random(kind === "open" ? 2 : 3)]!,
      rule: random(3) === 0 ? { kind: "daily", starts_at_local: "02:30" } : ruleFrom(kinds[1 + random(4)]!, random),
      time_zone: zones[random(zones.length)]!,
      duration_minutes: 1 + random(kind === "open" ? 600 : 2000),
      auto_apply: kind === "open" && random(4) > 0 ? apply : null,
      enabled: random(8) > 0,
      watched_since: new Date(start).toISOString()
    })
  })
  return {
    windows,
    hosts: Array.from({ length: 4 }, (_, n) => ({
      id: hostId(n),
      group_ids: [0, 1, 2].filter(() => random(2) === 0).map(groupId)
    }))
  }
}

/** The scheduler stepping through the time, with stops by seed. Answers with its records and the spans in which it was off. */
const run = (fleet: WindowFleet, start: number, end: number, random: (below: number) => number) => {
  const records = new Map<string, { readonly outcome: WindowOutcome; readonly firing: Firing; readonly now: number }>()
  const twice: Array<string> = []
  const off: Array<readonly [number, number]> = []
  let now = start
  while (now < end) {
    for (const { firing, outcome } of dueFirings(fleet, new Set(records.keys()), now)) {
      const key = firingKey(firing)
      if (records.has(key)) twice.push(key)
      records.set(key, { outcome, firing, now })
    }
    const opening = nextOpening(fleet.windows, now)
    const stop = random(12) === 0 ? random(30 * 60) * MINUTE : 0
    // Between openings half a minute makes no difference; a blackout that ends is what a round in between is for.
    const sleep = Math.min(opening === null ? end : opening - now, MINUTE * (1 + random(90)))
    const steps = [now + sleep, ...firings(fleet, now - 11 * 60 * MINUTE, end).map(({ fires_at }) => fires_at)]
    const wake = Math.min(...steps.filter((time) => time > now))
    if (stop > 0) off.push([now, now + stop])
    now = stop > 0 ? now + stop : wake
  }
  return { records, twice, off, end: now }
}

/** Differences in words, and how often each outcome was seen. */
export const compareFirings = (cases: number, first: number) => {
  const differences: Array<string> = []
  const seen: Record<string, number> = {}
  for (let seed = first; seed < first + cases; seed++) {
    const random = randomFrom(seed)
    const start = Date.parse("2026-01-01") + random(300 * 1440) * MINUTE
    const end = start + 10 * 1440 * MINUTE
    const fleet = fleetFrom(random, start)
    const { records, twice, off, end: stopped } = run(fleet, start, end, random)
    const say = (words: string): void => void differences.push(`seed ${seed}: ${words}`)
    for (const key of twice) say(`${key} twice`)
    const simulated = firings(fleet, start, stopped).filter(({ fires_at }) => fires_at < end)
    for (const firing of simulated) {
      const record = records.get(firingKey(firing))
      const wasOff = off.some(([from, until]) => firing.fires_at > from && firing.fires_at < until)
      const expected = firing.hindrance === null ? "fired" : firing.hindrance === "no_host" ? "nothing" : "refused"
      seen[record?.outcome ?? "none"] = (seen[record?.outcome ?? "none"] ?? 0) + 1
      if (record === undefined) {
        // The end of the case came before the scheduler was back.
        if (!off.some(([from, until]) => firing.fires_at > from && until >= end))
          say(`${firingKey(firing)} never decided`)
        continue
      }
      if (JSON.stringify(record.firing) !== JSON.stringify(firing)) say(`${firingKey(firing)} for other hosts or times`)
      if (record.outcome === "missed" ? !wasOff : record.outcome !== expected) {
        say(`${firingKey(firing)} ${record.outcome}, simulated ${expected}`)
      }
      if (record.outcome === "fired" && (record.now < firing.fires_at || record.now >= firing.ends_at)) {
        say(`${firingKey(firing)} outside of its opening`)
      }
      if (record.outcome === "fired" && !wasOff && record.now !== firing.fires_at) say(`${firingKey(firing)} late`)
    }
    const planned = new Set(simulated.map(firingKey))
    for (const [key, { firing }] of records) {
      if (firing.opens_at >= start && !planned.has(key)) say(`${key} was not simulated`)
    }
  }
  return { differences, seen }
}
