/** Holds: packages that are not to be changed on a host, a group's hosts or all hosts, until a time or until somebody ends the hold. */
import { Schema } from "effect"
import { GroupId, HoldId, HostId } from "./Ids.ts"
import { Timestamp } from "./Timestamp.ts"

/** A package's name in which `*` stands for any characters, none included. Capitals count. */
export const PackagePattern = Schema.String.check(
  Schema.isPattern(/^[a-zA-Z0-9*][a-zA-Z0-9*+._-]{0,255}$/, {
    expected: "a package name in which * stands for any characters, such as nginx or linux-image-*"
  })
)

export const HoldReason = Schema.String.check(Schema.isTrimmed(), Schema.isMinLength(1), Schema.isMaxLength(500))

/** RFC 3339 with its offset. */
export const HoldUntil = Schema.String.check(
  Schema.isPattern(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})$/, {
    expected: "a moment such as 2026-11-03T06:00:00Z"
  }),
  Schema.makeFilter((text) => !Number.isNaN(Date.parse(text)), { expected: "a day that exists" })
).annotate({ format: "date-time" })

export const HoldTarget = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("host"), host_id: HostId }),
  Schema.Struct({ kind: Schema.Literal("group"), group_id: GroupId }),
  Schema.Struct({ kind: Schema.Literal("all") })
]).annotate({ identifier: "HoldTarget" })
export type HoldTarget = typeof HoldTarget.Type

/** `until` left out or null: until somebody ends it. */
export const NewHold = Schema.Struct({
  target: HoldTarget,
  pattern: PackagePattern,
  reason: HoldReason,
  until: Schema.optionalKey(Schema.NullOr(HoldUntil))
}).annotate({ identifier: "NewHold" })
export type NewHold = typeof NewHold.Type

/** Keys left out stay as they are. What is held where is not edited: end the hold and make another. */
export const HoldChange = Schema.Struct({
  reason: Schema.optionalKey(HoldReason),
  until: Schema.optionalKey(Schema.NullOr(HoldUntil))
}).annotate({ identifier: "HoldChange" })
export type HoldChange = typeof HoldChange.Type

export const Hold = Schema.Struct({
  id: HoldId,
  /** `other_group`: a group that this caller does not belong to, which has the hold's host as well. */
  target: Schema.Union([...HoldTarget.members, Schema.Struct({ kind: Schema.Literal("other_group") })]),
  /** Name of the host or the group; null for all hosts and for another group. */
  target_name: Schema.NullOr(Schema.String),
  pattern: Schema.String,
  reason: Schema.String,
  until: Schema.NullOr(Timestamp),
  active: Schema.Boolean,
  created_at: Timestamp,
  created_by: Schema.String,
  /** When somebody ended it; null for one that runs or ran out. */
  ended_at: Schema.NullOr(Timestamp),
  ended_by: Schema.NullOr(Schema.String),
  /** Grows with each edit; the ETag. */
  version: Schema.Int
}).annotate({ identifier: "Hold" })
export type Hold = typeof Hold.Type

/** A hold as it is weighed against one package. */
export interface HeldPattern {
  readonly hold_id: HoldId
  readonly pattern: string
  readonly reason: string
  /** Milliseconds since 1970, not included any more; null while nobody ends it. */
  readonly until_ms: number | null
}

/**
 * Whether the name matches the pattern. Walks both once and goes back to the last `*` only: at worst pattern × name
 * steps, where a regular expression made of the pattern could take for ever.
 */
export const matchesPattern = (pattern: string, name: string): boolean => {
  let p = 0
  let n = 0
  let star = -1
  let resume = 0
  while (n < name.length) {
    if (pattern[p] === "*") {
      star = p++
      resume = n
    } else if (p < pattern.length && pattern[p] === name[n]) {
      p++
      n++
    } else if (star >= 0) {
      p = star + 1
      n = ++resume
    } else {
      return false
    }
  }
  while (pattern[p] === "*") p++
  return p === pattern.length
}

const endOf = (hold: { readonly until_ms: number | null }): number => hold.until_ms ?? Number.POSITIVE_INFINITY

/** Of the holds on this package at this moment the one that lasts longest; the first of several that last as long. */
export const isHeld = <H extends HeldPattern>(
  holds: ReadonlyArray<H>,
  package_name: string,
  at_ms: number
): H | undefined => {
  let longest: H | undefined
  for (const hold of holds) {
    if (endOf(hold) <= at_ms || !matchesPattern(hold.pattern, package_name)) continue
    if (longest === undefined || endOf(hold) > endOf(longest)) longest = hold
  }
  return longest
}
