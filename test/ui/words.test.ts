/** What the console says: times with their zone, counts, states, consequences, a host's past. */
import { describe, expect, it } from "vitest"
import type { HostTransition } from "#core/Host.ts"
import type { HostId, OrderId } from "#core/Ids.ts"
import { percent, plural } from "#ui/format/numbers.ts"
import { patchStateOf } from "#ui/format/states.ts"
import { formatAge, formatExact, formatFull, formatMoment, formatSpan } from "#ui/format/time.ts"
import { readAddress } from "#ui/hosts/readAddress.ts"
import { momentAt, stepOf, timeInState } from "#ui/hosts/moment.ts"
import { splitName } from "#ui/hosts/splitName.ts"
import { consequences, readNames } from "#ui/jobs/consequences.ts"
import { rowsInView } from "#ui/kit/createWindow.ts"
import { placeParts } from "#ui/kit/placeParts.ts"
import { parsePreferences } from "#ui/shell/preferences.ts"

const now = Date.parse("2026-11-10T21:14:08.204Z")

describe("times", () => {
  it("carry their zone", () => {
    expect(formatMoment("2026-11-10T21:11:37Z", "utc", now)).toBe("21:11:37 UTC")
    expect(formatMoment("2026-11-09T21:11:37Z", "utc", now)).toBe("9 Nov 21:11 UTC")
    expect(formatMoment("2036-11-09T21:11:37Z", "utc", now)).toBe("9 Nov 2036 21:11 UTC")
    expect(formatFull("2026-11-10T21:11:37Z", "utc")).toBe("10 Nov 2026 21:11:37 UTC")
  })

  it("are exact to the millisecond in the timeline", () => {
    expect(formatExact("2026-11-10T21:11:37.204Z", "utc", now)).toBe("21:11:37.204")
    expect(formatExact("2026-11-09T21:11:37.204Z", "utc", now)).toBe("9 Nov 21:11:37.204")
  })

  it("are never in the future as an age", () => {
    expect(formatAge(-5000)).toBe("0 s")
    expect(formatAge(14_000)).toBe("14 s")
    expect(formatAge(3 * 86_400_000)).toBe("3 d")
  })

  it("have two units as a span", () => {
    expect(formatSpan(2_900)).toBe("2.9 s")
    expect(formatSpan(151_000)).toBe("2 min 31 s")
    expect(formatSpan(4_200_000)).toBe("1 h 10 min")
  })
})

describe("numbers", () => {
  it("agree with their words", () => {
    expect(plural(1, "host")).toBe("1 host")
    expect(plural(2314, "host")).toBe("2,314 hosts")
  })

  it("are 100 % only when whole", () => {
    expect(percent(2351, 2481)).toBe("94.8 %")
    expect(percent(9999, 10_000)).toBe("99.9 %")
    expect(percent(25, 25)).toBe("100 %")
    expect(percent(0, 0)).toBe("–")
  })
})

describe("the patch state", () => {
  const seen = new Date(now - 60_000).toISOString()
  it("is unknown where nothing was reported, never up to date", () => {
    expect(patchStateOf({ pending: null, security: null, last_seen_at: seen }, now)).toBe("unknown")
    expect(patchStateOf({ pending: 0, security: 0, last_seen_at: null }, now)).toBe("unknown")
    expect(patchStateOf({ pending: 0, security: 0, last_seen_at: "2026-11-08T00:00:00Z" }, now)).toBe("unknown")
  })

  it("follows the worst of what is pending", () => {
    expect(patchStateOf({ pending: 3, security: 1, last_seen_at: seen }, now)).toBe("security")
    expect(patchStateOf({ pending: 3, security: 0, last_seen_at: seen }, now)).toBe("updates")
    expect(patchStateOf({ pending: 0, security: 0, last_seen_at: seen }, now)).toBe("up_to_date")
  })
})

describe("consequences", () => {
  const host = { pending: 31, security: 14, reboot_needed: false, link: "healthy", work: "idle" } as const
  it("are one sentence with numbers", () => {
    const told = consequences({ hosts: [host, host], choice: "all", names: [], reboot: "if_needed", delay_minutes: 5 })
    expect(told.sentence).toBe(
      "Install 62 updates, 28 of them security, on 2 hosts now. Then each host is restarted 5 minutes after its updates, if it asks for it."
    )
    expect(told.notes).toEqual([])
  })

  it("name the hosts that are busy or away", () => {
    const told = consequences({
      hosts: [{ ...host, work: "patching.running" }, { ...host, link: "unreachable" }, host],
      choice: "security",
      names: [],
      reboot: "never",
      delay_minutes: 0
    })
    expect(told.sentence).toBe("Install 42 security updates on 3 hosts now. None of them is restarted.")
    expect(told.notes).toHaveLength(2)
  })

  it("tell package names from what cannot be one", () => {
    expect(readNames("openssl, libssl3  openssl;$(reboot)")).toEqual({
      names: ["openssl", "libssl3"],
      wrong: ["$(reboot)"]
    })
  })
})

describe("a host's address as typed", () => {
  it("is a name, an address, or told to be wrong", () => {
    expect(readAddress(" Web-01.Example.org. ")).toEqual({ kind: "fqdn", value: "web-01.example.org" })
    expect(readAddress("192.0.2.17")).toEqual({ kind: "address", value: "192.0.2.17" })
    expect(readAddress("2001:db8::17")).toEqual({ kind: "address", value: "2001:db8::17" })
    for (const wrong of ["192.0.2", "300.1.1.1", "web-01", "web-01.example.org:12443"]) {
      expect(readAddress(wrong).kind).toBe("fault")
    }
  })

  it("keeps an address whole as a name", () => {
    expect(splitName("10.24.7.31")).toEqual(["10.24.7.31", ""])
    expect(splitName("db-ber-07.corp.example")).toEqual(["db-ber-07", ".corp.example"])
  })
})

describe("a host's past", () => {
  const order = "0198f200-0000-7000-8000-000000000000" as OrderId
  const at = (seconds: number): string => new Date(now + seconds * 1000).toISOString()
  const base = {
    host_id: "0198f000-0000-7000-8000-000000000000" as HostId,
    by: null,
    words: "",
    order_id: order
  } as const
  const link = { from_link: "healthy", to_link: "healthy" } as const
  const past: ReadonlyArray<HostTransition> = [
    {
      ...base,
      ...link,
      version: 4,
      at: at(4),
      event_type: "accepted",
      from_work: "patching.dispatching",
      to_work: "patching.running"
    },
    {
      ...base,
      ...link,
      version: 3,
      at: at(3),
      event_type: "baseline",
      from_work: "patching.preparing",
      to_work: "patching.dispatching"
    },
    { ...base, ...link, version: 2, at: at(0), event_type: "order", from_work: "idle", to_work: "patching.preparing" },
    {
      ...base,
      version: 1,
      order_id: null,
      at: at(-60),
      event_type: "poll.ok",
      from_link: "unknown",
      to_link: "healthy",
      from_work: "idle",
      to_work: "idle"
    }
  ]

  it("can be held at a version, also after newer rows came in", () => {
    expect(momentAt(past, 3)).toEqual({
      link: "healthy",
      work: "patching.dispatching",
      last: { region: "work", from: "patching.preparing", to: "patching.dispatching", event: "baseline" }
    })
    expect(momentAt(past.slice(1), 3)).toEqual(momentAt(past, 3))
    expect(momentAt(past, 99)).toBeNull()
  })

  it("names the region that moved", () => {
    expect(past.map((one) => stepOf(one)?.region)).toEqual(["work", "work", "work", "link"])
  })

  it("adds up the time of the newest order, the current state still running", () => {
    expect(timeInState(past, now + 10_000)).toEqual({
      spent: [
        { state: "patching.preparing", milliseconds: 3000, current: false },
        { state: "patching.dispatching", milliseconds: 1000, current: false },
        { state: "patching.running", milliseconds: 6000, current: true }
      ],
      total: 10_000
    })
    expect(timeInState(past.slice(3), now)).toBeNull()
  })
})

describe("what is drawn", () => {
  it("is the rows in view and a few beyond", () => {
    expect(rowsInView(0, 720, 36, 2500)).toEqual({ first: 0, end: 28 })
    const { first, end } = rowsInView(36_000, 720, 36, 2500)
    expect(first).toBeLessThanOrEqual(1000)
    expect(end).toBeGreaterThanOrEqual(1020)
    expect(end - first).toBeLessThan(48)
    expect(rowsInView(90_000, 720, 36, 2500).end).toBe(2500)
    expect(rowsInView(0, 720, 36, 0)).toEqual({ first: 0, end: 0 })
  })

  it("gives every part of a bar some width and fills it", () => {
    const placed = placeParts([
      { value: 2480, fill: "ok", word: "done" },
      { value: 1, fill: "bad", word: "failed" },
      { value: 0, fill: "run", word: "running" }
    ])
    expect(placed).toHaveLength(2)
    expect(placed[1]?.width).toBeGreaterThan(0.5)
    expect(placed.reduce((sum, { width }) => sum + width, 0)).toBeCloseTo(100)
  })
})

describe("preferences", () => {
  it("fall back to the usual where they are damaged", () => {
    const usual = { theme: "system", density: "default", zone: "utc", keys: "on" }
    expect(parsePreferences(null)).toEqual(usual)
    expect(parsePreferences("{not json")).toEqual(usual)
    expect(parsePreferences('{"theme":"pink","zone":"local"}')).toEqual({ ...usual, zone: "local" })
  })
})
