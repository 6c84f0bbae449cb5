/** A transition as one sentence: what happened, and where the host stands now in the machine's own words. */
import { Predicate } from "effect"
import { agentFailureWords, AgentFailureKind } from "#core/AgentFailure.ts"
import type { LinkState, WorkState } from "#core/HostState.ts"
import { hostMachine } from "#machines/hostMachine.ts"

interface Node {
  readonly path: ReadonlyArray<string>
  readonly meta?: unknown
  readonly states: Readonly<Record<string, Node>>
}

/** `link.healthy`, `work.patching.running`, `retired` … to the words of that state. */
const stateWords = new Map<string, string>()
const collect = (node: Node): void => {
  if (Predicate.hasProperty(node.meta, "words") && Predicate.isString(node.meta.words)) {
    stateWords.set(node.path.filter((part) => part !== "managed").join("."), node.meta.words)
  }
  for (const child of Object.values(node.states)) collect(child)
}
collect(hostMachine.root)

const wordsOf = (region: "link" | "work", state: string): string =>
  stateWords.get(state === "retired" ? state : `${region}.${state}`) ?? state

const events: Readonly<Record<string, string>> = {
  "poll.ok": "The host answered a poll",
  "poll.failed": "A poll failed",
  "inventory.older": "The host has older packages than its last order left",
  job: "The agent reported on its job",
  "job.gone": "The agent no longer knows the job",
  resumed: "The manager was restarted and took up where it was",
  baseline: "What is installed was read",
  jobs: "The agent's job list was read",
  evidence: "What is installed now was read",
  unavailable: "The host could not be asked",
  accepted: "The agent accepted the request",
  refused: "The agent refused the request",
  unsent: "The request never left the manager",
  unclear: "The answer to the request was lost",
  order: "A job was given to the host",
  cancel: "The job was cancelled",
  "retry.now": "Another try was asked for",
  dismiss: "The failure was dismissed",
  "settle.by_hand": "The outcome was decided by hand",
  retire: "Removal was asked for"
}

const isFailureKind = (value: unknown): value is AgentFailureKind =>
  AgentFailureKind.literals.some((kind) => kind === value)

const text = (event: unknown, key: string): string | null =>
  Predicate.hasProperty(event, key) && Predicate.isString(event[key]) && event[key] !== "" ? event[key] : null

/** The reason an event carries: its own message, else the words for its kind of failure. */
const reasonOf = (event: unknown): string | null => {
  const message = text(event, "message") ?? text(event, "reason")
  if (message !== null) return message
  return Predicate.hasProperty(event, "kind") && isFailureKind(event.kind) ? agentFailureWords[event.kind] : null
}

const sentence = (words: string): string => (/[.!?]$/.test(words) ? words : `${words}.`)

export const transitionWords = (transition: {
  readonly event_type: string
  readonly event: unknown
  readonly from_link: LinkState
  readonly to_link: LinkState
  readonly from_work: WorkState
  readonly to_work: WorkState
}): string => {
  const happened = transition.event_type.startsWith("xstate.after.")
    ? "A deadline passed"
    : (events[transition.event_type] ?? transition.event_type)
  const by = text(transition.event, "by")
  const reason = reasonOf(transition.event)
  const parts = [sentence(`${happened}${by === null ? "" : ` (${by})`}${reason === null ? "" : `: ${reason}`}`)]
  if (transition.from_work !== transition.to_work) parts.push(sentence(wordsOf("work", transition.to_work)))
  if (transition.from_link !== transition.to_link && transition.to_link !== "retired") {
    parts.push(sentence(`Connection: ${wordsOf("link", transition.to_link)}`))
  }
  return parts.join(" ")
}
