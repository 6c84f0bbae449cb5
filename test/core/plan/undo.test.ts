import { describe, expect, it } from "vitest"
import { reverseAll, reverseChanges, undoAnswer, type UndoFacts } from "#core/plan/undo.ts"

const facts = (more: Partial<UndoFacts> = {}): UndoFacts => ({
  kind: "patch_apply",
  changes: [{ name: "curl", from: "8.0", to: "8.1" }],
  agent_version: "3.0.0",
  format: "deb",
  obtainable: { curl: ["8.1", "8.0"], jq: ["1.7"] },
  when: "plan",
  ...more
})
const jq = { name: "jq", from: "1.6", to: "1.7" }
const curl = { name: "curl", from: "8.0", to: "8.1" }

describe("can be undone", () => {
  it.each<[string, Partial<UndoFacts>, string, RegExp]>([
    ["the agent goes back and the version is still there", {}, "yes", /still offered for all/],
    ["the agent does not go back", { agent_version: "2.7.0" }, "no", /does not install older versions.*curl/],
    ["of an agent of no known version", { agent_version: null }, "no", /does not install older/],
    ["the version from before is gone", { changes: [jq] }, "no", /not offered any more \(jq\)/],
    ["some of it", { changes: [curl, jq] }, "partly", /still offered for curl; .*not offered any more \(jq\)/],
    ["the agent does not tell", { obtainable: {} }, "cannot_be_known", /does not tell.*curl/],
    ["kernel", { changes: [{ name: "linux-image-amd64", from: "1", to: "2" }] }, "no", /Kernel and boot/],
    ["essential", { changes: [{ name: "libc6", from: "1", to: "2" }, curl] }, "partly", /essential packages.*libc6/],
    [
      "newly installed stays",
      { kind: "package_install", changes: [{ name: "jq", from: null, to: "1.7" }] },
      "no",
      /Newly installed packages stay/
    ],
    [
      "a removed package comes back on every agent",
      { agent_version: "1.0.0", kind: "package_remove", changes: [{ name: "curl", from: "8.0", to: null }] },
      "yes",
      /still offered/
    ],
    [
      "a patch of which the host did not tell the version",
      { changes: [{ name: "curl", from: null, to: "8.1" }] },
      "cannot_be_known",
      /does not tell/
    ],
    ["a restart", { kind: "reboot", changes: [] }, "no", /changes no packages/],
    ["nothing", { changes: [] }, "no", /nothing to undo/],
    ["lists never read", { changes: null }, "cannot_be_known", /not been read/],
    [
      "an install of an older version goes forward again",
      { agent_version: "2.7.0", changes: [{ name: "curl", from: "8.1", to: "8.0" }] },
      "yes",
      /all of it/
    ]
  ])("%s", (_what, more, answer, because) => {
    const said = undoAnswer(facts(more))
    expect(said.answer).toBe(answer)
    expect(said.because).toMatch(because)
  })
})

describe("what a rollback by versions takes", () => {
  it("is what was called possible, and the rest is left", () => {
    const changes = [curl, jq, { name: "bash", from: "5.1", to: "5.2" }, { name: "libnew", from: null, to: "1" }]
    const { planned, left } = reverseChanges(facts({ changes, when: "after" }))
    expect(planned).toEqual([{ name: "curl", from: "8.1", to: "8.0", goal: "exactly" }])
    expect(left.map(({ change, fate }) => [change.name, fate])).toEqual([
      ["jq", "not_obtainable"],
      ["bash", "essential"],
      ["libnew", "stays"]
    ])
  })

  it("agrees with the answer for every mixture", () => {
    const all = [
      curl,
      jq,
      { name: "dpkg", from: "1", to: "2" },
      { name: "libnew", from: null, to: "1" },
      { name: "odd", from: "1", to: "2" }
    ]
    for (let mask = 1; mask < 32; mask++) {
      const changes = all.filter((_, n) => (mask >> n) & 1)
      for (const agent_version of ["2.7.0", "3.0.0"]) {
        const given = facts({ changes, agent_version, when: "after" })
        const { answer } = undoAnswer(given)
        const { planned } = reverseChanges(given)
        if (answer === "yes") expect(planned.length).toBe(changes.length)
        if (answer === "no") expect(planned).toEqual([])
        if (answer === "partly") expect(planned.length > 0 && planned.length < changes.length).toBe(true)
        if (answer === "cannot_be_known") expect(planned.length).toBeGreaterThan(0)
      }
    }
  })

  it("by the agent is all of it", () => {
    expect(reverseAll([curl, { name: "libnew", from: null, to: "1" }])).toEqual([
      { name: "curl", from: "8.1", to: "8.0", goal: "exactly" },
      { name: "libnew", from: "1", to: null, goal: "absent" }
    ])
  })
})
