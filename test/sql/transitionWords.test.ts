import { expect, it } from "vitest"
import { HostFact } from "#core/HostEvent.ts"
import { transitionWords } from "#sql/transitionWords.ts"

const still = { from_link: "healthy", to_link: "healthy", from_work: "idle", to_work: "idle" } as const

it("says what happened, why, by whom, and where the host stands now", () => {
  expect(
    transitionWords({
      ...still,
      event_type: "poll.failed",
      event: { type: "poll.failed", kind: "refused", message: "" },
      to_link: "unreachable"
    })
  ).toMatch(/^A poll failed: Nothing listens on the agent's port\..* Connection: .+\.$/)
  expect(
    transitionWords({
      ...still,
      event_type: "order",
      event: { type: "order", by: "olga" },
      to_work: "patching.preparing"
    })
  ).toMatch(/^A job was given to the host \(olga\)\. .+\.$/)
  expect(
    transitionWords({
      ...still,
      event_type: "xstate.after.run.running",
      event: {},
      from_work: "patching.running",
      to_work: "settling.quiet"
    })
  ).toMatch(/^A deadline passed\. /)
})

it("has words of its own for every fact", () => {
  for (const member of HostFact.members) {
    const event_type = member.fields.type.literal
    expect(transitionWords({ ...still, event_type, event: { type: event_type } })).not.toBe(`${event_type}.`)
  }
})
