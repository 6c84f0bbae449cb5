import { describe, expect, it } from "vitest"
import { changesOfOrder, namesOfOrder, type OrderedChanges } from "#core/changesOfOrder.ts"
import type { Change } from "#core/Package.ts"

const order = (change: Partial<OrderedChanges>): OrderedChanges => ({
  kind: "patch_apply",
  selection: { kind: "all" },
  packages: [],
  planned: null,
  pin_versions: false,
  held: [],
  method: null,
  ...change
})

const ssl: Change = { name: "openssl", from: "1.0", to: "1.1" }
const curl: Change = { name: "curl", from: "7.0", to: "7.1" }
const offer = {
  candidates: [ssl, curl],
  installed: { openssl: "1.0", curl: "7.0", nginx: "1.24" },
  format: "deb"
} as const

describe("names to look at", () => {
  it("are the selection without a plan, else the plan's, or those that were asked for", () => {
    expect(namesOfOrder(order({}))).toEqual({ kind: "all" })
    expect(namesOfOrder(order({ planned: [ssl] }))).toEqual({ kind: "packages", names: ["openssl"] })
    expect(namesOfOrder(order({ kind: "rollback", planned: [curl] }))).toEqual({ kind: "packages", names: ["curl"] })
    expect(
      namesOfOrder(order({ kind: "package_remove", packages: [{ name: "nginx", version: null }], planned: [curl] }))
    ).toEqual({ kind: "packages", names: ["nginx"] })
  })
})

describe("patch_apply", () => {
  it("takes the candidates, pinned where asked, without what is held", () => {
    expect(changesOfOrder(order({}), offer).changes).toEqual([ssl, curl])
    expect(changesOfOrder(order({ held: ["open*"], pin_versions: true }), offer)).toMatchObject({
      changes: [{ ...curl, goal: "exactly" }],
      held: ["openssl"],
      differences: []
    })
  })

  it("says from what is installed now", () => {
    const planned = [{ ...ssl, from: "0.9" }]
    expect(changesOfOrder(order({ planned }), offer)).toMatchObject({ changes: [ssl], differences: [] })
  })

  it("accepts any candidate for a change whose version was not known", () => {
    const planned = [{ ...ssl, to: null }]
    expect(changesOfOrder(order({ planned }), offer)).toMatchObject({ changes: [ssl], differences: [] })
    const gone = changesOfOrder(order({ planned }), { ...offer, candidates: [] })
    expect(gone).toMatchObject({ changes: [], differences: [{ name: "openssl", planned: null, found: null }] })
    const elsewhere = { ...offer, candidates: [], installed: { openssl: "1.1" } }
    expect(changesOfOrder(order({ planned }), elsewhere)).toMatchObject({ changes: planned, differences: [] })
  })

  it("cannot tell a difference where the host does not say which version it offers", () => {
    const silent = { ...offer, candidates: [{ ...ssl, to: null }] }
    expect(changesOfOrder(order({ planned: [ssl] }), silent)).toMatchObject({ changes: [ssl], differences: [] })
  })

  it("finds a newer version installed as good as the planned one, unless it is pinned", () => {
    const newer = { ...offer, candidates: [], installed: { openssl: "1.2" } }
    expect(changesOfOrder(order({ planned: [ssl] }), newer).differences).toEqual([])
    expect(changesOfOrder(order({ planned: [ssl], pin_versions: true }), newer)).toMatchObject({
      changes: [{ name: "openssl", from: "1.2", to: "1.2" }],
      differences: [{ name: "openssl", planned: "1.1", found: "1.2" }]
    })
  })
})

describe("package kinds", () => {
  it("want a version, any, a newer one, or none", () => {
    const packages = [{ name: "nginx", version: null }]
    expect(changesOfOrder(order({ kind: "package_install", packages }), offer).changes).toEqual([
      { name: "nginx", from: "1.24", to: null, goal: "present" }
    ])
    expect(
      changesOfOrder(order({ kind: "package_install", packages: [{ name: "vim", version: "9" }] }), offer).changes
    ).toEqual([{ name: "vim", from: null, to: "9", goal: "exactly" }])
    expect(changesOfOrder(order({ kind: "package_remove", packages }), offer).changes).toEqual([
      { name: "nginx", from: "1.24", to: null, goal: "absent" }
    ])
    expect(changesOfOrder(order({ kind: "package_update", packages }), offer).changes).toEqual([])
    expect(
      changesOfOrder(order({ kind: "package_update", packages: [{ name: "curl", version: null }] }), offer).changes
    ).toEqual([{ ...curl, goal: "at_least" }])
  })

  it("hold an update to its plan", () => {
    const update = order({
      kind: "package_update",
      packages: [{ name: "curl", version: null }],
      planned: [{ ...curl, to: "7.0.5" }, ssl]
    })
    expect(changesOfOrder(update, offer)).toMatchObject({
      changes: [{ name: "curl", to: "7.1" }],
      differences: [{ name: "curl", planned: "7.0.5", found: "7.1" }]
    })
  })
})

describe("rollback", () => {
  const back: Change = { name: "openssl", from: "1.0", to: "0.9", goal: "exactly" }
  const added: Change = { name: "nginx", from: "1.24", to: null, goal: "absent" }

  it("by versions installs what was there and leaves what came", () => {
    expect(changesOfOrder(order({ kind: "rollback", method: "versions", planned: [back, added] }), offer)).toEqual({
      changes: [back],
      held: [],
      differences: [],
      stays: ["nginx"]
    })
  })

  it("by the agent is all or nothing", () => {
    const all = order({ kind: "rollback", method: "agent", planned: [back, added] })
    expect(changesOfOrder(all, offer).changes).toEqual([back, added])
    expect(changesOfOrder({ ...all, held: ["nginx"] }, offer)).toMatchObject({ changes: [], held: ["nginx"] })
  })
})
