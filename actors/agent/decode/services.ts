/** `GET /system/services/{name}`, from 1.2 on. */
import type { ServiceState } from "#core/ServiceState.ts"
import { booleanOf, foldWord, isObject, unwrap } from "./json.ts"

/** The agent's own judgement, which knows units that are started by their socket; else what systemd calls the unit. */
export const decodeService = (body: unknown): ServiceState | undefined => {
  const data = unwrap(body)
  if (!isObject(data)) return undefined
  const healthy = booleanOf(data["healthy"])
  if (healthy !== null) return healthy ? "up" : "down"
  const word = foldWord(data["active_state"])
  if (word === "") return undefined
  return word === "active" ? "up" : word === "inactive" || word === "failed" ? "down" : "unknown"
}
