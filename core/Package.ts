/** Packages and pending patches as read from a host, after the traps of its agent have been undone. */
import { Schema } from "effect"

/** Which rule compares versions on the host. */
export const PackageFormat = Schema.Literals(["deb", "rpm", "other"])
export type PackageFormat = typeof PackageFormat.Type

export const InstalledPackage = Schema.Struct({
  name: Schema.String,
  version: Schema.String
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

/** One package of an order, from what was installed before to what has to be installed after. */
export const Change = Schema.Struct({
  name: Schema.String,
  from: Schema.NullOr(Schema.String),
  to: Schema.NullOr(Schema.String)
}).annotate({ identifier: "Change" })
export type Change = typeof Change.Type

/** What the operator chose; expanded to explicit names before anything is sent. */
export const Selection = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("all") }),
  Schema.Struct({ kind: Schema.Literal("security") }),
  Schema.Struct({
    kind: Schema.Literal("packages"),
    names: Schema.Array(
      Schema.String.check(Schema.isPattern(/^[a-zA-Z0-9][a-zA-Z0-9+._-]*$/), Schema.isMaxLength(256))
    ).check(Schema.isMinLength(1), Schema.isMaxLength(1000))
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
