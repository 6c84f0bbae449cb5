/** Where a hold is, in words. */
import type { Hold } from "#core/Hold.ts"

export const holdPlace = (hold: Hold): string => {
  switch (hold.target.kind) {
    case "all":
      return "all hosts"
    case "host":
      return hold.target_name ?? "a host"
    case "group":
      return `group ${hold.target_name ?? ""}`
    case "other_group":
      return "a group you are not in"
  }
}
