/** Packages and pending patches as read from a host, after the traps of its agent have been undone. */
import { Schema } from "effect"

/** Which rule compares versions on the host. */
export const PackageFormat = Schema.Literals(["deb", "rpm", "other"])
export type PackageFormat = typeof PackageFormat.Type

export const InstalledPackage = Schema.Struct({
  name: Schema.String,
  version: Schema.String,
  /** Versions that the host's archives still offer; left out by agents that do not tell. */
  available_versions: Schema.optionalKey(Schema.Array(Schema.String))
})
export type InstalledPackage = typeof InstalledPackage.Type

export const Severity = Schema.Literals(["critical", "high", "medium", "low", "unknown"])
export type Severity = typeof Severity.Type

/** `current_version` and `available_version` are null where the agent does not tell. */
export const Patch = Schema.Struct({
  name: Schema.String,
  current_version: Schema.NullOr(Schema.String),
  available_version: Schema.NullOr(Schema.String),
  severity: Severity,
  /** The agent's own estimate, on apt made from the package's name. */
  security: Schema.Boolean,
  requires_reboot: Schema.Boolean,
  description: Schema.String,
  cve_ids: Schema.Array(Schema.String)
}).annotate({ identifier: "Patch" })
export type Patch = typeof Patch.Type

/**
 * What has to be true of a package afterwards. `at_least`: the planned version or a newer one; `exactly`: this version;
 * `present`: any version; `absent`: not installed.
 */
export const Goal = Schema.Literals(["at_least", "exactly", "present", "absent"])
export type Goal = typeof Goal.Type

/** One package of an order, from what was installed before to what has to be installed after; without a goal `at_least`. */
export const Change = Schema.Struct({
  name: Schema.String,
  from: Schema.NullOr(Schema.String),
  to: Schema.NullOr(Schema.String),
  goal: Schema.optionalKey(Goal)
}).annotate({ identifier: "Change" })
export type Change = typeof Change.Type

export const PackageName = Schema.String.check(
  Schema.isPattern(/^[a-zA-Z0-9][a-zA-Z0-9+._-]*$/, { expected: "a package name" }),
  Schema.isMaxLength(256)
)

/** As agents accept it on POST /packages. */
export const PackageVersion = Schema.String.check(
  Schema.isPattern(/^[a-zA-Z0-9][a-zA-Z0-9+.:~_-]*$/, { expected: "a package version" }),
  Schema.isMaxLength(256)
)

/** A package named by a person; without a version any will do. */
export const PackageRequest = Schema.Struct({
  name: PackageName,
  version: Schema.NullOr(PackageVersion)
}).annotate({ identifier: "PackageRequest" })
export type PackageRequest = typeof PackageRequest.Type

/** What the operator chose; expanded to explicit names before anything is sent. */
export const Selection = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("all") }),
  Schema.Struct({ kind: Schema.Literal("security") }),
  Schema.Struct({
    kind: Schema.Literal("packages"),
    names: Schema.Array(PackageName).check(Schema.isMinLength(1), Schema.isMaxLength(1000))
  })
]).annotate({ identifier: "Selection" })
export type Selection = typeof Selection.Type

/** Expands a selection against the host's current patch list; names without a pending patch drop out. */
export const expandSelection = (
  selection: Selection,
  patches: ReadonlyArray<Patch>,
  installed: Readonly<Record<string, string>>
): Array<Change> => {
  const wanted = selection.kind === "packages" ? new Set(selection.names) : undefined
  return patches
    .filter((patch) => (wanted ? wanted.has(patch.name) : selection.kind === "all" || patch.security))
    .map((patch) => ({
      name: patch.name,
      from: installed[patch.name] ?? patch.current_version,
      to: patch.available_version
    }))
}
