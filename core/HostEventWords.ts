/** What an operator reads for each event in a host's timeline. */
import type { HostFact } from "./HostEvent.ts"

export const hostEventWords: Record<HostFact["type"], string> = {
  "poll.ok": "Poll answered",
  "poll.failed": "Poll failed",
  "inventory.older": "Older packages found",
  job: "Agent's job reported",
  "job.gone": "Agent no longer knows the job",
  resumed: "Manager restarted",
  baseline: "Installed packages read",
  jobs: "Agent's job list read",
  evidence: "Installed versions read",
  unavailable: "Reading failed",
  accepted: "Agent accepted",
  refused: "Agent refused",
  unsent: "Could not be sent",
  unclear: "No clear answer",
  order: "Order received",
  cancel: "Cancel asked",
  "retry.now": "Retry asked",
  dismiss: "Failure dismissed",
  "settle.by_hand": "Settled by hand",
  retire: "Removal asked"
}

/** Named delays, as they stand in `xstate.after.<delay>.<state>`. */
const deadlineWords: Record<string, string> = {
  call: "No answer in time",
  send: "No answer to what was sent",
  run: "Job took too long",
  verify: "Versions could not be read in time",
  leave: "Host did not go down in time",
  away: "Host did not come back in time",
  calm: "Host has settled down",
  settle: "Asked for a day without result",
  quiet: "Time to ask the host",
  backoff: "Wait is over",
  start: "Job starts by itself",
  recount: "Time to count the hosts"
}

/** Words for any event type that a transition row can hold. */
export const eventWords = (type: string): string => {
  const [, delay] = /^xstate\.after\.([A-Za-z]+)\./.exec(type) ?? []
  if (delay !== undefined) return deadlineWords[delay] ?? "Time ran out"
  return (hostEventWords as Readonly<Record<string, string>>)[type] ?? type
}
