/** The host list's filter in the address, and the selection that survives sorting. */
import { describe, expect, it } from "vitest"
import { filterTags, readHostQuery, writeHostQuery, type HostQuery } from "#ui/hosts/hostQuery.ts"
import { choose, everything, isSelected, nothing, sizeOf } from "#ui/hosts/selection.ts"

const defined = (query: Partial<HostQuery>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(writeHostQuery(query)).filter((entry): entry is [string, string] => entry[1] !== undefined)
  )

describe("the filter in the address", () => {
  it("comes back as it was written", () => {
    const query: HostQuery = {
      q: "db",
      status: ["failed", "unresolved"],
      os: ["Debian", "Rocky Linux"],
      pending: "security",
      reboot_needed: true,
      sort: "-security"
    }
    expect(readHostQuery(defined(query))).toEqual(query)
  })

  it("leaves out what it does not understand", () => {
    const query = readHostQuery({ status: "failed,nonsense", pending: "maybe", reboot: "perhaps", sort: "colour" })
    expect(query.status).toEqual(["failed"])
    expect(query.pending).toBeUndefined()
    expect(query.reboot_needed).toBeUndefined()
    expect(query.sort).toBe("status")
  })

  it("removes a parameter that is no longer set", () => {
    expect(writeHostQuery({ q: undefined, status: undefined })).toEqual({ q: undefined, status: undefined })
    expect(writeHostQuery({ sort: "status" })).toEqual({ sort: undefined })
  })

  it("says each filter in words", () => {
    const tags = filterTags(readHostQuery({ status: "failed,unresolved", reboot: "yes" }))
    expect(tags.map(({ words }) => words)).toEqual(["State is failed or needs a decision", "Reboot needed"])
  })
})

describe("the selection", () => {
  it("takes hosts in and out", () => {
    const two = choose(nothing, ["a", "b"], true)
    expect(sizeOf(two, 10)).toBe(2)
    expect(isSelected(choose(two, ["a"], false), "a")).toBe(false)
  })

  it("can hold all that match but a few", () => {
    const most = choose(everything, ["b"], false)
    expect(sizeOf(most, 2314)).toBe(2313)
    expect(isSelected(most, "a")).toBe(true)
    expect(isSelected(most, "b")).toBe(false)
    expect(isSelected(choose(most, ["b"], true), "b")).toBe(true)
  })
})
