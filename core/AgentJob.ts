/** A job on the agent, with its many spellings folded into one. */
import { Schema } from "effect"
import { AgentJobId } from "./Ids.ts"

export const AgentJobStatus = Schema.Literals([
  "pending",
  "running",
  "rebooting",
  "completed",
  "failed",
  "cancelled",
  "timed_out",
  "unknown"
])
export type AgentJobStatus = typeof AgentJobStatus.Type

/** One line of the agent's job list. */
export const AgentJobEntry = Schema.Struct({
  id: AgentJobId,
  /** Folded to lower case without separators: install, update, remove, patchapply, reboot, rollback … */
  operation: Schema.String,
  status: AgentJobStatus,
  /** Text as the agent gave it. */
  created_at: Schema.NullOr(Schema.String)
})
export type AgentJobEntry = typeof AgentJobEntry.Type

/** The job itself; the log is bounded by the agent client. */
export const AgentJob = Schema.Struct({
  ...AgentJobEntry.fields,
  progress_percent: Schema.Int,
  message: Schema.String,
  logs: Schema.Array(Schema.String),
  error: Schema.NullOr(Schema.String),
  error_code: Schema.NullOr(Schema.String),
  /** What the agent's documentation says about this error code. */
  retryable: Schema.Boolean
})
export type AgentJob = typeof AgentJob.Type

/** An agent counts a job in these states as active and refuses to reboot. */
export const isActive = (status: AgentJobStatus): boolean =>
  status === "pending" || status === "running" || status === "rebooting"
