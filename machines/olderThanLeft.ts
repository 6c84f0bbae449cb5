/** Whether a host's packages are older than its last order left them, as after the rollback of a virtual machine. */
import type { PackageFormat } from "#core/Package.ts"
import { isReached } from "#core/Version.ts"
import type { HostContext } from "./HostContext.ts"

/** The packages of the last order that succeeded which are older now; none while an order is under way or once it is known. */
export const olderThanLeft = (
  { order, outcome, reverted }: HostContext,
  installed: ReadonlyMap<string, string>,
  format: PackageFormat
): ReadonlyArray<string> => {
  if (order !== null || reverted !== null || outcome?.verdict !== "done") return []
  return outcome.changes
    .filter(({ name, from }) => {
      const left = outcome.installed[name] ?? null
      const now = installed.get(name) ?? null
      if (left === null || now === null || now === left) return false
      return now === from || (format !== "other" && !isReached({ name, from: null, to: left }, now, format))
    })
    .map(({ name }) => name)
}
