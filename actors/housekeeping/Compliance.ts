/** Classes every host once an hour into the row of the day. */
import { Effect, Schedule } from "effect"
import { recordCompliance } from "#sql/ComplianceStore.ts"

/** Days a security patch may stay pending before its host counts as not compliant. */
const SECURITY_TARGET_DAYS = 14

export const recordComplianceForever = recordCompliance(SECURITY_TARGET_DAYS).pipe(
  Effect.catch((error) => Effect.logWarning("Compliance could not be recorded; tried again within the hour", error)),
  Effect.delay("1 minute"),
  Effect.repeat(Schedule.spaced("1 hour")),
  Effect.annotateLogs({ module: "housekeeping" })
)
