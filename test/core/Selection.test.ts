import { describe, expect, it } from "vitest"
import { expandSelection, type Patch } from "#core/Package.ts"

const patch = (name: string, fields: Partial<Patch> = {}): Patch => ({
  name,
  current_version: "1",
  available_version: "2",
  severity: "unknown",
  security: false,
  requires_reboot: false,
  description: "",
  cve_ids: [],
  ...fields
})

const patches = [
  patch("curl", { security: true }),
  patch("nginx"),
  patch("openssl", { security: true, current_version: null }),
  patch("vim", { available_version: null })
]
const names = (changes: ReadonlyArray<{ readonly name: string }>) => changes.map((change) => change.name)

describe("a selection against the host's patches", () => {
  it("takes all of them", () => {
    expect(names(expandSelection({ kind: "all" }, patches, {}))).toEqual(["curl", "nginx", "openssl", "vim"])
  })

  it("takes only security", () => {
    expect(names(expandSelection({ kind: "security" }, patches, {}))).toEqual(["curl", "openssl"])
  })

  it("takes the names that have a patch, and drops the others", () => {
    const selection = { kind: "packages" as const, names: ["nginx", "no-such-package", "vim"] }
    expect(names(expandSelection(selection, patches, {}))).toEqual(["nginx", "vim"])
    expect(expandSelection({ kind: "packages", names: ["no-such-package"] }, patches, {})).toEqual([])
  })

  it("goes from the version installed, which the patch list only repeats", () => {
    expect(expandSelection({ kind: "all" }, patches, { curl: "1.1", openssl: "3.0" })).toEqual([
      { name: "curl", from: "1.1", to: "2" },
      { name: "nginx", from: "1", to: "2" },
      { name: "openssl", from: "3.0", to: "2" },
      { name: "vim", from: "1", to: null }
    ])
    expect(expandSelection({ kind: "security" }, patches, {})[1]).toEqual({ name: "openssl", from: null, to: "2" })
  })
})
