/** States of a request to join, in words and icons. */
import type { Enrolment, EnrolmentState } from "#core/Enrolment.ts"
import type { Shown } from "../format/states.ts"

export const enrolmentStates: Readonly<Record<EnrolmentState, Shown>> = {
  pending: { tone: "idle", icon: "clock", word: "Waiting" },
  approved: { tone: "ok", icon: "check", word: "Approved" },
  denied: { tone: "bad", icon: "failed", word: "Denied" },
  expired: { tone: "idle", icon: "minus", word: "Expired" }
}

export const systemWords = ({ system }: Enrolment): string =>
  [system.distro, system.version].filter((word) => word !== null).join(" ") || "Unknown"
