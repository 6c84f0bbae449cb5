/** Rows about the calendar: changes of the clocks, odd zones, odd days, the far future. Pure but for what PostgreSQL would say. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { expect } from "vitest"
import { WindowId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import type { WindowCalendar, WindowRule } from "#core/Window.ts"
import { occurrences } from "#core/window/occurrences.ts"
import { compare, kinds, randomFrom, readZones, ruleFrom } from "#test/core/window/compare.ts"
import { readHeartbeat } from "#sql/HeartbeatStore.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import { makeFakeClock, startFakedPostgres } from "#test/harness/fakeClock.ts"
import type { World } from "#test/harness/World.ts"
import { requireFaketime } from "../requireFaketime.ts"
import type { RowBody } from "../row.ts"
import { pause } from "../jobSteps.ts"

const calendar = (time_zone: string, rule: WindowRule, duration_minutes = 60): WindowCalendar => ({
  rule,
  time_zone,
  duration_minutes,
  blackout_dates: []
})
const daily = (starts_at_local: string): WindowRule => ({ kind: "daily", starts_at_local })

/** Openings and closings of the span in UTC. */
const openings = (window: WindowCalendar, from: string, to: string): ReadonlyArray<string> =>
  occurrences(window, Date.parse(from), Date.parse(to)).map(({ opens_at, closes_at }) =>
    [opens_at, closes_at].map((at) => new Date(at).toISOString().slice(0, 16)).join(" ")
  )
const days = (window: WindowCalendar, from: string, to: string): ReadonlyArray<string> =>
  occurrences(window, Date.parse(from), Date.parse(to)).map(({ local_date }) => local_date)

/** What PostgreSQL makes of a local time. */
const inPostgres = async (world: World, local: string, zone: string): Promise<string> => {
  const [found] = await world.query<{ at: string }>(
    `select to_char(($1::timestamp at time zone $2) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI') as at`,
    [local, zone]
  )
  return found!.at
}

const root = join(import.meta.dirname, "../../..")
const sourcesOf = (folder: string): ReadonlyArray<{ readonly file: string; readonly text: string }> =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ file, text: readFileSync(file, "utf8") }))

export const springGap: RowBody = async (row) => {
  const world = await row.world({ count: 1, certificates: false })
  await row.assert("02:30 to 03:30 on the spring day opens at the first valid instant, its length kept", () => {
    expect(openings(calendar("Europe/Berlin", daily("02:30")), "2027-03-28", "2027-03-29")).toEqual([
      "2027-03-28T01:00 2027-03-28T02:00"
    ])
    expect(openings(calendar("America/New_York", daily("02:30")), "2027-03-14", "2027-03-15")).toEqual([
      "2027-03-14T07:00 2027-03-14T08:00"
    ])
  })
  await row.assert("PostgreSQL maps 02:30 in New York to 07:30Z, so the rule is ours", async () => {
    expect(await inPostgres(world, "2027-03-14 02:30", "America/New_York")).toBe("2027-03-14T07:30")
  })
  await row.assert("one library computes all windows: no SQL of ours reads a clock of a zone other than UTC", () => {
    const used = sourcesOf("sql").flatMap(({ file, text }) =>
      [...text.matchAll(/at time zone\s+(\S+)/gi)]
        .filter(([, zone]) => !zone?.startsWith("'UTC'"))
        .map(([found]) => `${file}: ${found}`)
    )
    expect(used).toEqual([])
  })
  await row.assert("Node 24 has no built-in Temporal, and nothing relies on one", () => {
    expect("Temporal" in globalThis).toBe(false)
    const used = ["core", "actors", "http", "sql", "ui"]
      .flatMap(sourcesOf)
      .filter(({ text }) => /\bTemporal\./.test(text))
    expect(used.map(({ file }) => file)).toEqual([])
  })
}

export const autumnOverlap: RowBody = async (row) => {
  const world = await row.world({ count: 1, certificates: false })
  await row.assert("01:30 that happens twice: runs once, at the first occurrence", () => {
    expect(openings(calendar("America/New_York", daily("01:30")), "2026-11-01", "2026-11-02")).toEqual([
      "2026-11-01T05:30 2026-11-01T06:30"
    ])
    expect(openings(calendar("Europe/Berlin", daily("02:30")), "2026-10-25", "2026-10-26")).toEqual([
      "2026-10-25T00:30 2026-10-25T01:30"
    ])
  })
  await row.assert("PostgreSQL picks the second one, so the rule is ours", async () => {
    expect(await inPostgres(world, "2026-11-01 01:30", "America/New_York")).toBe("2026-11-01T06:30")
  })
}

export const oddZones: RowBody = async (row) => {
  await row.assert("half-hour zone change (Lord Howe): the gap opens at once, the overlap opens once", () => {
    expect(openings(calendar("Australia/Lord_Howe", daily("02:15")), "2026-10-03T12:00Z", "2026-10-04T12:00Z")).toEqual(
      ["2026-10-03T15:30 2026-10-03T16:30"]
    )
    expect(openings(calendar("Australia/Lord_Howe", daily("01:45")), "2027-04-03T12:00Z", "2027-04-04T12:00Z")).toEqual(
      ["2027-04-03T14:45 2027-04-03T15:45"]
    )
  })
  await row.assert("a zone whose summer time was abolished, and a day that a zone left out", () => {
    const mexico = calendar("America/Mexico_City", daily("02:30"))
    expect(openings(mexico, "2022-04-03", "2022-04-04")).toEqual(["2022-04-03T08:00 2022-04-03T09:00"])
    expect(openings(mexico, "2023-04-02", "2023-04-03")).toEqual(["2023-04-02T08:30 2023-04-02T09:30"])
    expect(days(calendar("Pacific/Apia", daily("02:00")), "2011-12-29T00:00Z", "2012-01-01T20:00Z")).toEqual([
      "2011-12-29",
      "2011-12-30",
      "2011-12-31",
      "2012-01-01",
      "2012-01-02"
    ])
  })
  await row.assert("29 February: the last day of a short month, and only in leap years itself", () => {
    const last: WindowRule = { kind: "monthly_by_day", day: 29, starts_at_local: "03:00" }
    expect(days(calendar("UTC", last), "2027-02-01", "2027-03-01")).toEqual(["2027-02-28"])
    expect(days(calendar("UTC", last), "2028-02-01", "2028-03-01")).toEqual(["2028-02-29"])
    expect(days(calendar("UTC", last), "2100-02-01", "2100-03-01")).toEqual(["2100-02-28"])
  })
  await row.assert("Monday-of-month rules: the first, the fourth, the last", () => {
    const monday = (week: 1 | 4 | "last"): WindowRule => ({
      kind: "monthly_by_weekday",
      week,
      weekday: "monday",
      starts_at_local: "22:00"
    })
    const of = (week: 1 | 4 | "last") => days(calendar("Europe/Berlin", monday(week)), "2027-03-01", "2027-04-01")
    expect([of(1), of(4), of("last")]).toEqual([["2027-03-01"], ["2027-03-22"], ["2027-03-29"]])
  })
  const { zones, differing } = readZones()
  await row.assert(
    `50 years of windows in all ${zones.length} zones: each opens exactly once per rule, by a second computation`,
    () => {
      expect(differing.length, differing.join(" ")).toBeLessThan(12)
      let compared = 0
      const differences: Array<string> = []
      zones.forEach((zone, n) => {
        const random = randomFrom(row.seed + n)
        const rules = [
          ruleFrom(random(2) === 0 ? "monthly_by_day" : "monthly_by_weekday", random),
          ruleFrom(kinds[n % kinds.length]!, random)
        ]
        const year = 2000 + random(48)
        const found = [compare(zone, rules[0]!), compare(zone, rules[1]!, [`${year}-01-01`, `${year + 1}-12-31`])]
        for (const one of found) {
          compared += one.compared
          differences.push(...one.differences)
        }
      })
      expect(differences.slice(0, 10)).toEqual([])
      expect(compared).toBeGreaterThan(200_000)
    }
  )
  row.missing(
    "with a new zone table, moved windows are listed for approval",
    "the zone table is the one inside Node and changes with a release alone; openings are computed anew each time and none is stored to compare with"
  )
}

/** Seconds since 1970 that do not fit into 32 bits any more. */
const LIMIT = 2 ** 31

export const farFuture: RowBody = async (row) => {
  const plain = await row.world({ count: 1, certificates: false })
  await row.assert("a leap second has no effect: the minute before it opens and closes as any other", async () => {
    expect(openings(calendar("UTC", daily("23:59")), "2016-12-31", "2017-01-01")).toEqual([
      "2016-12-31T23:59 2017-01-01T00:59"
    ])
    const [leap] = await plain.query<{ at: string }>(
      `select to_char('2016-12-31 23:59:60'::timestamp, 'YYYY-MM-DD"T"HH24:MI:SS') as at`
    )
    expect(leap?.at).toBe("2017-01-01T00:00:00")
  })
  await row.assert(
    "64-bit times all through: windows open after January 2038, and are stored as they are",
    async () => {
      const [opening] = occurrences(calendar("UTC", daily("03:15")), Date.parse("2038-01-19"), Date.parse("2038-01-20"))
      expect(opening!.opens_at / 1000).toBeGreaterThan(LIMIT)
      expect(openings(calendar("Europe/Berlin", daily("02:30")), "2099-03-29", "2099-03-30")).toEqual([
        "2099-03-29T01:00 2099-03-29T02:00"
      ])
      await plain.query(
        `insert into maintenance_windows (id, name, kind, scope, host_id, rule, time_zone, duration_minutes, created_by)
       values ($1, 'far', 'open', 'host', $2, '{"kind": "daily", "starts_at_local": "03:15"}', 'UTC', 60, 'test')`,
        [newId(WindowId), plain.hosts[0]!.id]
      )
      const [stored] = await plain.query<{ at: number }>(
        `insert into window_runs (window_id, opens_at, closes_at, outcome, hosts, note)
       select id, to_timestamp($1), to_timestamp($1) + interval '1 hour', 'missed', 0, '' from maintenance_windows
       returning (extract(epoch from opens_at) * 1000)::float8 as at`,
        [opening!.opens_at / 1000]
      )
      expect(stored?.at).toBe(opening!.opens_at)
    }
  )
  const library = requireFaketime()
  if ("why" in library) return row.missing("the programs run across January 2038", library.why)
  const clock = makeFakeClock(library.path)
  row.after(clock.remove)
  const world = await row.world({ count: 1, certificates: false }, await startFakedPostgres(clock))
  clock.set(LIMIT - Math.round(Date.now() / 1000) - 12)
  await row.worker(world, { env: clock.env })
  await row.assert("year 2038: worker and database run across the second in which 32 bits end", async () => {
    const lease = () =>
      world.query<{ now: number; age: number; renewals: number }>(
        "select extract(epoch from now())::float8 as now, extract(epoch from now() - renewed_at)::float8 as age, renewals::int from worker_lease"
      )
    const [before] = await until(lease, ([found]) => found!.now > LIMIT + 1, 40_000)
    await pause(4_000)
    const [after] = await lease()
    expect(after!.renewals).toBeGreaterThan(before!.renewals)
    expect(Math.abs(after!.age)).toBeLessThan(15)
    expect(Math.abs((await world.run(readHeartbeat)).clock_skew_seconds)).toBeLessThan(5)
    const asked = await world.apply(world.hosts)
    const [job] = await world.query<{ at: number }>(
      "select extract(epoch from created_at)::float8 as at from patch_jobs where id = $1",
      [asked]
    )
    expect(job!.at).toBeGreaterThan(LIMIT)
  })
}
