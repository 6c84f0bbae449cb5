/** The twelve guards of design §5, and what takes each one away in a test build. */
import type { AgentGuard } from "#actors/agent/AgentGuard.ts"
import type { GuardName } from "#actors/hosts/Guards.ts"
import type { Mutation } from "#test/machines/mutations.ts"

export const guards = [
  "epoch",
  "ask_first",
  "intent",
  "unique_index",
  "size_limit",
  "per_host_limit",
  "catch_up_read",
  "window_check",
  "compare_and_set",
  "identity",
  "resumption_key",
  "deadline"
] as const
export type Guard = (typeof guards)[number]

/** Where a guard lives: in the worker's rooms, at the agent calls, in the host's machine, or in the database. */
export interface Switches {
  readonly withoutGuards: ReadonlyArray<GuardName>
  readonly guardsOff: ReadonlyArray<AgentGuard>
  readonly mutation: Mutation | undefined
  readonly statements: ReadonlyArray<string>
}

const inWorker: ReadonlySet<string> = new Set<GuardName>(["intent", "compare_and_set", "catch_up_read", "window_check"])
const atAgent: ReadonlySet<string> = new Set<AgentGuard>([
  "identity",
  "resumption_key",
  "deadline",
  "size_limit",
  "per_host_limit"
])

/** Every worker gets the same epoch, so that none is ever fenced off. */
const epochStandsStill = `
  create function same_epoch() returns trigger language plpgsql as $$ begin new.epoch := old.epoch; return new; end $$;
  create trigger same_epoch before update on worker_lease for each row execute function same_epoch()`

export const switchesOf = (off: ReadonlyArray<Guard>): Switches => ({
  withoutGuards: off.filter((guard): guard is Guard & GuardName => inWorker.has(guard)),
  guardsOff: off.filter((guard): guard is Guard & AgentGuard => atAgent.has(guard)),
  mutation: off.includes("ask_first") ? "resendOnResume" : undefined,
  statements: [
    ...(off.includes("unique_index") ? ["drop index one_open_job_per_host"] : []),
    ...(off.includes("epoch") ? [epochStandsStill] : [])
  ]
})
