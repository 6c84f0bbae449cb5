/** A moment on the wire: RFC 3339 in UTC. */
import { Schema } from "effect"

export const Timestamp = Schema.String.annotate({ identifier: "Timestamp", format: "date-time" })
export type Timestamp = typeof Timestamp.Type
