/** What an agent says about a unit: running, not running, or nothing that could be used. */
import { Schema } from "effect"

export const ServiceState = Schema.Literals(["up", "down", "unknown"]).annotate({ identifier: "ServiceState" })
export type ServiceState = typeof ServiceState.Type
