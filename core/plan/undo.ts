/**
 * Whether the versions from before can be brought back: said of a plan beforehand, and of what a run really changed afterwards.
 * The rollback job takes exactly the packages that this calls possible, so that what is said is what then happens. Pure.
 */
import { canAgent } from "../agentAbilities.ts"
import type { JobKind } from "../Order.ts"
import type { Change, PackageFormat } from "../Package.ts"
import type { UndoAnswer } from "../Plan.ts"
import { compareDeb, compareRpm } from "../Version.ts"
import { neverUndone } from "./neverUndone.ts"

export interface UndoFacts {
  readonly kind: JobKind
  /** Null where it is not known what will change, or what has changed. */
  readonly changes: ReadonlyArray<Change> | null
  readonly agent_version: string | null
  readonly format: PackageFormat
  /** Versions that the host's repositories still have, by package, where its agent tells. */
  readonly obtainable: Readonly<Record<string, ReadonlyArray<string>>>
  /** `plan`: a package without a version from before is one whose version the host did not tell, unless it is newly installed. */
  readonly when: "plan" | "after"
}

type Fate = "back" | "unknown" | "kernel" | "essential" | "stays" | "no_downgrade" | "not_obtainable"

export interface PackageFate {
  readonly change: Change
  readonly fate: Fate
}

const isDowngrade = (from: string, to: string, format: PackageFormat): boolean =>
  (format === "rpm" ? compareRpm(to, from) : compareDeb(to, from)) < 0

const fateOf = (change: Change, facts: UndoFacts): Fate => {
  const { name, from, to } = change
  const never = neverUndone(name)
  if (never !== null) return never
  if (from === null) return facts.when === "after" || facts.kind === "package_install" ? "stays" : "unknown"
  // Of a package that is not there any more any version may be installed; over a newer one only with the agent's leave.
  const older = to === null ? false : facts.format === "other" || isDowngrade(to, from, facts.format)
  if (older && !canAgent(facts.agent_version, "downgrades")) return "no_downgrade"
  // A package may be called "constructor".
  const versions = Object.hasOwn(facts.obtainable, name) ? facts.obtainable[name] : undefined
  if (versions === undefined) return "unknown"
  return versions.includes(from) ? "back" : "not_obtainable"
}

export const fatesOf = (facts: UndoFacts): ReadonlyArray<PackageFate> =>
  (facts.changes ?? []).map((change) => ({ change, fate: fateOf(change, facts) }))

const SHOWN = 3

const listed = (names: ReadonlyArray<string>): string =>
  names.length <= SHOWN ? names.join(", ") : `${names.slice(0, SHOWN).join(", ")} and ${names.length - SHOWN} more`

const words: Record<Fate, (names: string, when: UndoFacts["when"]) => string> = {
  back: (names) => `the version from before is still offered for ${names}`,
  unknown: (names) => `the agent does not tell whether the version from before is still offered for ${names}`,
  kernel: (names) => `kernel and boot packages are never put back (${names})`,
  essential: (names) => `essential packages are never put back (${names})`,
  stays: (names, when) =>
    when === "after" ? `what the run installed anew stays (${names})` : `newly installed packages stay (${names})`,
  no_downgrade: (names) => `the agent does not install older versions over newer ones (${names})`,
  not_obtainable: (names) => `the version from before is not offered any more (${names})`
}

const sentence = (parts: ReadonlyArray<string>): string => {
  const text = parts.join("; ")
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

export const undoAnswer = (facts: UndoFacts): UndoAnswer => {
  if (facts.kind === "reboot")
    return { answer: "no", because: "A restart changes no packages, so there is nothing to undo." }
  if (facts.changes === null) {
    return {
      answer: "cannot_be_known",
      because:
        facts.when === "plan"
          ? "The host's packages have not been read yet, so it is not known what will change."
          : "What the run changed was never read."
    }
  }
  if (facts.changes.length === 0) return { answer: "no", because: "No package changes, so there is nothing to undo." }
  const fates = fatesOf(facts)
  const namesOf = (fate: Fate): ReadonlyArray<string> =>
    fates.filter((one) => one.fate === fate).map((one) => one.change.name)
  const never: ReadonlyArray<Fate> = ["no_downgrade", "not_obtainable", "kernel", "essential", "stays"]
  const back = namesOf("back")
  const unknown = namesOf("unknown")
  const reasons = (of: ReadonlyArray<Fate>): string =>
    sentence(of.flatMap((fate) => (namesOf(fate).length === 0 ? [] : [words[fate](listed(namesOf(fate)), facts.when)])))
  if (back.length === fates.length) {
    const rest = facts.when === "plan" ? " What comes along as a new dependency would stay." : ""
    return { answer: "yes", because: `The versions from before are still offered for all of it.${rest}` }
  }
  if (unknown.length === 0)
    return {
      answer: back.length > 0 ? "partly" : "no",
      because: reasons(["back", ...never].filter((fate): fate is Fate => fate !== "back" || back.length > 0))
    }
  if (back.length > 0 && back.length + unknown.length < fates.length) {
    return { answer: "partly", because: reasons(["back", ...never, "unknown"]) }
  }
  return { answer: "cannot_be_known", because: reasons(["unknown", ...never]) }
}

/** What a rollback by versions has to bring about; newly installed packages have no version to go back to. */
export const reverseChanges = (
  facts: UndoFacts
): { readonly planned: ReadonlyArray<Change>; readonly left: ReadonlyArray<PackageFate> } => {
  const fates = fatesOf({ ...facts, when: "after" })
  const possible = fates.filter(({ fate }) => fate === "back" || fate === "unknown")
  return {
    planned: possible.map(({ change }) => ({ name: change.name, from: change.to, to: change.from, goal: "exactly" })),
    left: fates.filter(({ fate }) => fate !== "back" && fate !== "unknown")
  }
}

/** What the agent's own rollback has to bring about: all of it, newly installed packages gone again. */
export const reverseAll = (effects: ReadonlyArray<Change>): ReadonlyArray<Change> =>
  effects.map(({ name, from, to }) => ({ name, from: to, to: from, goal: from === null ? "absent" : "exactly" }))
