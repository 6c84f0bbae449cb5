/** The host machine's types, actions, guard and delays; the chart itself names them as plain data. */
import { assign, enqueueActions, setup } from "xstate"
import type { HostCommand, IntentVerdict } from "#core/HostCommand.ts"
import type { HostEvent } from "#core/HostEvent.ts"
import { hostCalls, hostNotes, intentOpened, type HostCallName, type HostNote } from "./hostActions.ts"
import type { HostContext } from "./HostContext.ts"
import { turnsUnstable } from "./hostBoots.ts"
import { outcomeOf, type HostEnding } from "./hostEndings.ts"
import { isAgentRollback, rebootDelayMs, wait } from "./hostFacts.ts"
import { makeWhen, type HostCondition } from "./hostGuards.ts"
import { productionTuning, type Tuning } from "./Tuning.ts"

interface Given {
  readonly context: HostContext
  readonly event: HostEvent
}

/** What the console and the documents show for a state. */
export interface StateMeta {
  readonly words: string
  /** Name of the delay that bounds the state, and what happens when it runs out. */
  readonly limit?: { readonly delay: string; readonly next: string }
}

export type HostTag = "rest" | "busy" | "open"

export const hostDelays = (tuning: Tuning) => ({
  call: () => tuning.call_ms,
  send: () => tuning.send_ms,
  run: ({ context }: Given) => (isAgentRollback(context) ? tuning.rollback_ms : tuning.run_ms),
  verify: () => tuning.verify_ms,
  leave: ({ context }: Given) => rebootDelayMs(context.order) + tuning.leave_ms,
  away: ({ context, event }: Given) =>
    Math.max(0, (context.intent?.opened_at ?? event.at) + rebootDelayMs(context.order) - event.at) + tuning.away_ms,
  calm: () => tuning.calm_ms,
  settle: () => tuning.settle_ms,
  quiet: ({ context }: Given) => Math.min(tuning.quiet_ms * 2 ** Math.min(context.asks, 20), tuning.quiet_max_ms),
  backoff: ({ context }: Given) => wait(context, tuning)
})
export type HostDelay = keyof ReturnType<typeof hostDelays>

type Commanded = { type: "command"; params: HostCommand }

const alarms = {
  unreachable: "The host has not answered three times in a row.",
  noReturn: "The host was asked to restart and has not come back.",
  unresolved: "The outcome of the work on this host cannot be found out. It needs a decision.",
  unstable: "The host has booted three times within 15 minutes. It is given no work until it has been up for a while.",
  identitySwap: "Another registered host answers at this host's address. Nothing is sent until it is found out why.",
  rolledBack:
    "The host has older packages than the last order left: a snapshot was rolled back, or somebody downgraded them."
}

export const hostSetup = setup({
  types: {
    context: {} as HostContext,
    events: {} as HostEvent,
    tags: {} as HostTag,
    meta: {} as StateMeta,
    transitionMeta: {} as { readonly rare: true }
  },
  actions: {
    /** The only action with an effect: step hands its parameter to whoever executes. */
    command: (_given: Given, _command: HostCommand) => {},
    note: assign(({ context, event }: Given, notes: ReadonlyArray<HostNote>) =>
      notes.reduce<HostContext>((now, note) => ({ ...now, ...hostNotes[note]({ context: now, event }) }), context)
    ),
    call: enqueueActions<HostContext, HostEvent, HostCallName, HostEvent, never, Commanded, never, never, never>(
      ({ enqueue, context }, name) => {
        enqueue({ type: "command", params: hostCalls[name](context) })
      }
    ),
    recordIntent: enqueueActions<HostContext, HostEvent, undefined, HostEvent, never, Commanded, never, never, never>(
      ({ enqueue, context }) => {
        enqueue({ type: "command", params: intentOpened(context) })
      }
    ),
    close: enqueueActions<HostContext, HostEvent, IntentVerdict, HostEvent, never, Commanded, never, never, never>(
      ({ enqueue, context }, verdict) => {
        if (context.intent === null) return
        enqueue({ type: "command", params: { kind: "IntentClosed", intent: context.intent.id, verdict } })
        enqueue.assign({ intent: null, job_id: null, ran: context.ran || verdict === "ran" })
      }
    ),
    end: enqueueActions<HostContext, HostEvent, HostEnding, HostEvent, never, Commanded, never, never, never>(
      ({ enqueue, context, event }, as) => {
        const outcome = outcomeOf(context, event, as)
        if (outcome === null) return
        enqueue({ type: "command", params: { kind: "Ended", outcome } })
        enqueue.assign({ outcome })
      }
    ),
    /** Alarms that rest on what one poll says beside moving the link; before the poll is noted. */
    linkAlarms: enqueueActions<HostContext, HostEvent, undefined, HostEvent, never, Commanded, never, never, never>(
      ({ enqueue, context, event }) => {
        const raise = (name: keyof typeof alarms) =>
          enqueue({ type: "command", params: { kind: "Alarm", name, message: alarms[name] } })
        if (event.type === "poll.ok" && turnsUnstable(context, event)) raise("unstable")
        if (event.type === "poll.failed" && event.kind === "wrong_identity") raise("identitySwap")
      }
    ),
    alarm: enqueueActions<
      HostContext,
      HostEvent,
      keyof typeof alarms,
      HostEvent,
      never,
      Commanded,
      never,
      never,
      never
    >(({ enqueue }, name) => {
      enqueue({ type: "command", params: { kind: "Alarm", name, message: alarms[name] } })
    })
  },
  guards: {
    when: makeWhen(new Set())
  },
  delays: hostDelays(productionTuning)
})

/** Off the usual way: the chart draws it as a stub. */
export const rare = { rare: true } as const

export const when = (...conditions: ReadonlyArray<HostCondition>) => ({ type: "when" as const, params: conditions })
export const note = (...notes: ReadonlyArray<HostNote>) => ({ type: "note" as const, params: notes })
export const call = (name: HostCallName) => ({ type: "call" as const, params: name })
export const close = (verdict: IntentVerdict) => ({ type: "close" as const, params: verdict })
export const end = (as: HostEnding) => ({ type: "end" as const, params: as })
export const linkAlarms = { type: "linkAlarms" } as const
export const alarm = (name: keyof typeof alarms) => ({ type: "alarm" as const, params: name })
