/** The shape of a host's stored state value. A region that is missing is refused: XState would silently fill it in. */
import { Schema } from "effect"
import type { LinkState, WorkState } from "#core/HostState.ts"

const Link = Schema.Literals(["unknown", "healthy", "degraded", "unreachable"])

const Work = Schema.Union([
  Schema.Literals(["idle", "retrying", "failed", "unresolved"]),
  Schema.Struct({ patching: Schema.Literals(["preparing", "dispatching", "running", "verifying"]) }),
  Schema.Struct({ rebooting: Schema.Literals(["leaving", "away", "returning"]) }),
  Schema.Struct({ settling: Schema.Literals(["quiet", "asking", "inspecting"]) })
])

export const HostValue = Schema.Union([
  Schema.Literal("retired"),
  Schema.Struct({ managed: Schema.Struct({ link: Link, work: Work }) })
])
export type HostValue = typeof HostValue.Type

export const linkOf = (value: HostValue): LinkState => (value === "retired" ? "retired" : value.managed.link)

export const workOf = (value: HostValue): WorkState => {
  if (value === "retired") return "retired"
  const { work } = value.managed
  if (typeof work === "string") return work
  if ("patching" in work) return `patching.${work.patching}`
  if ("rebooting" in work) return `rebooting.${work.rebooting}`
  return `settling.${work.settling}`
}
