/**
 * The work region: one order from preparing to its end.
 * Only `dispatching` and `leaving` make a mutating call, on entry, and nothing re-runs them: an answer lost, a restart
 * and a deadline all lead to `settling`, which asks the host before anything is decided.
 */
import { alarm, call, close, end, hostSetup, note, rare, when } from "./hostSetup.ts"
import { baselineRead, evidenceRead, serviceLooksAgain } from "./hostReadings.ts"
import { cancelled, jobEnds, noEffect, proved, refusedOrUnsent, unavailable, under } from "./hostWays.ts"

const retireAtOnce = { retire: { target: "#retired", description: "retire", meta: rare } } as const

export const work = hostSetup.createStateConfig({
  id: "work",
  initial: "idle",
  on: {
    cancel: { guard: when("orderMatches", "cancelNotNoted"), actions: note("noteCancel") },
    retire: [
      {
        guard: when("isForced"),
        target: "#retired",
        actions: [end("removed"), close("abandoned")],
        description: "removed by force",
        meta: rare
      },
      { guard: when("retireNotNoted"), actions: note("noteRetire") }
    ]
  },
  states: {
    idle: {
      id: "idle",
      tags: ["rest"],
      meta: { words: "Nothing to do" },
      entry: note("forgetOrder"),
      always: { guard: when("retireAsked"), target: "#retired", description: "retire", meta: rare },
      on: {
        order: { guard: when("isStable"), target: "#preparing", actions: note("takeOrder"), description: "order" },
        ...retireAtOnce
      }
    },
    patching: {
      id: "patching",
      tags: ["busy"],
      meta: { words: "Patching" },
      initial: "preparing",
      states: {
        preparing: {
          id: "preparing",
          meta: { words: "Reading packages", limit: { delay: "call", next: "it is tried again later" } },
          entry: call("readBaseline"),
          exit: note("next"),
          always: cancelled,
          after: { call: unavailable },
          on: {
            resumed: { actions: [note("next"), call("readBaseline")] },
            unavailable: under(["callMatches"], unavailable),
            baseline: baselineRead
          }
        },
        dispatching: {
          id: "dispatching",
          tags: ["open"],
          meta: { words: "Sending to the host", limit: { delay: "send", next: "the outcome is checked" } },
          entry: [note("openChange"), { type: "recordIntent" }, call("change")],
          exit: note("next"),
          after: { send: { target: "#settling", description: "no clear answer" } },
          on: {
            resumed: { target: "#settling", description: "no clear answer" },
            accepted: {
              guard: when("intentMatches"),
              target: "#running",
              actions: note("takeJob"),
              description: "accepted"
            },
            unclear: { guard: when("intentMatches"), target: "#settling", description: "no clear answer" },
            ...refusedOrUnsent
          }
        },
        running: {
          id: "running",
          tags: ["open"],
          meta: { words: "Agent at work on the host", limit: { delay: "run", next: "the outcome is checked" } },
          entry: call("watch"),
          exit: note("next"),
          after: {
            run: [
              {
                guard: when("neverBegan"),
                target: "#failed",
                actions: [close("abandoned"), end("notExecuted")],
                description: "never begun",
                meta: rare
              },
              { target: "#settling", description: "45 min" }
            ]
          },
          on: {
            resumed: { actions: [note("next"), call("watch")] },
            job: [...jobEnds, { guard: when("jobMatches", "seenAnew"), actions: note("noteJobSeen") }],
            "job.gone": { guard: when("jobMatches"), target: "#settling", description: "job gone" },
            "poll.ok": {
              guard: when("bootedMeanwhile"),
              target: "#settling",
              actions: note("noteBoot"),
              description: "rebooted"
            }
          }
        },
        verifying: {
          id: "verifying",
          meta: { words: "Checking versions", limit: { delay: "verify", next: "the outcome is checked" } },
          entry: call("keepReadingEvidence"),
          exit: note("next"),
          after: { verify: { target: "#settling", description: "deadline" } },
          on: {
            resumed: { actions: [note("next"), call("keepReadingEvidence")] },
            evidence: evidenceRead
          }
        }
      }
    },
    rebooting: {
      id: "rebooting",
      tags: ["busy", "open"],
      meta: { words: "Restarting" },
      initial: "leaving",
      states: {
        leaving: {
          id: "leaving",
          meta: { words: "Asked to restart, still up", limit: { delay: "leave", next: "the outcome is checked" } },
          entry: [note("openReboot"), { type: "recordIntent" }, call("reboot")],
          exit: note("next"),
          after: { leave: { target: "#settling", description: "no clear answer" } },
          on: {
            resumed: [
              { guard: when("named"), actions: [note("next"), call("probe")] },
              { target: "#settling", description: "no clear answer" }
            ],
            accepted: { guard: when("intentMatches", "unnamed"), actions: [note("next", "takeJob"), call("probe")] },
            unclear: { guard: when("intentMatches"), target: "#settling", description: "no clear answer" },
            ...refusedOrUnsent,
            "poll.failed": { guard: when("named"), target: "#away", description: "gone" },
            "poll.ok": {
              guard: when("bootedAsAsked"),
              target: "#returning",
              actions: note("noteRebooted"),
              description: "booted"
            }
          }
        },
        away: {
          id: "away",
          meta: { words: "Restarting: away as expected", limit: { delay: "away", next: "a person is asked to look" } },
          entry: call("probe"),
          exit: note("next"),
          after: {
            away: [
              { guard: when("answering"), target: "#settling", description: "up, but not restarted", meta: rare },
              {
                target: "#failed",
                actions: [note("noteNoReturn"), end("noReturn"), close("abandoned"), alarm("noReturn")],
                description: "no return"
              }
            ]
          },
          on: {
            resumed: { actions: [note("next"), call("probe")] },
            "poll.ok": {
              guard: when("bootedAsAsked"),
              target: "#returning",
              actions: note("noteRebooted"),
              description: "booted"
            }
          }
        },
        returning: {
          id: "returning",
          meta: { words: "Back, settling down", limit: { delay: "calm", next: "versions are checked" } },
          entry: close("ran"),
          after: { calm: { target: "#verifying", description: "calm" } }
        }
      }
    },
    settling: {
      id: "settling",
      tags: ["busy", "open"],
      meta: { words: "Outcome unknown, checking", limit: { delay: "settle", next: "a person has to decide" } },
      initial: "quiet",
      entry: note("settle"),
      always: { guard: when("settledTooOften"), target: "#unresolved", description: "gave up" },
      after: { settle: { target: "#unresolved", description: "24 h" } },
      on: {
        accepted: [
          {
            guard: when("intentMatches", "forPackages"),
            target: "#running",
            actions: note("takeJob"),
            description: "job found"
          },
          { guard: when("intentMatches", "unnamed"), actions: note("takeJob") }
        ],
        ...refusedOrUnsent,
        job: jobEnds.map((way) => ({ ...way, meta: rare })),
        "poll.ok": {
          guard: when("forReboot", "bootedAsAsked"),
          target: "#returning",
          actions: note("noteRebooted"),
          description: "booted",
          meta: rare
        }
      },
      states: {
        quiet: {
          id: "quiet",
          meta: { words: "Waits before asking", limit: { delay: "quiet", next: "the host is asked" } },
          after: { quiet: { target: "#asking", actions: note("countAsk") } }
        },
        asking: {
          id: "asking",
          meta: { words: "Asks for the agent's jobs", limit: { delay: "call", next: "it asks again later" } },
          entry: call("readJobs"),
          exit: note("next"),
          after: { call: { target: "#quiet", description: "no answer" } },
          on: {
            unavailable: { guard: when("callMatches"), target: "#quiet", description: "no answer" },
            jobs: [
              {
                guard: when("callMatches", "jobFound"),
                target: "#running",
                actions: note("takeJob"),
                description: "job found"
              },
              { guard: when("callMatches"), target: "#inspecting" }
            ]
          }
        },
        inspecting: {
          id: "inspecting",
          meta: { words: "Reads what is installed", limit: { delay: "call", next: "it asks again later" } },
          entry: call("readEvidence"),
          exit: note("next"),
          after: { call: { target: "#quiet", description: "no answer" } },
          on: {
            unavailable: { guard: when("callMatches"), target: "#quiet", description: "no answer" },
            evidence: [
              {
                guard: when("callMatches", "forReboot", "bootedAsAsked"),
                target: "#returning",
                actions: note("keepEvidence", "noteRebooted"),
                description: "booted",
                meta: rare
              },
              ...proved("target reached: done", { description: "reboot", meta: rare }, serviceLooksAgain, [
                "calm",
                "!forReboot"
              ]),
              ...under(["callMatches", "calm", "secondLook", "forPackages", "untouched"], noEffect),
              ...under(["callMatches", "calm", "secondLook", "forReboot"], noEffect),
              {
                guard: when("callMatches", "calm", "secondLook"),
                target: "#failed",
                actions: [note("keepEvidence"), close("ran"), end("inPart")],
                description: "in part only",
                meta: rare
              },
              {
                guard: when("callMatches", "calm", "!rebootMayCome"),
                target: "#quiet",
                actions: note("keepLook"),
                description: "look again"
              },
              { guard: when("callMatches"), target: "#quiet", actions: note("dropLook"), description: "still working" }
            ]
          }
        }
      }
    },
    retrying: {
      id: "retrying",
      tags: ["busy"],
      meta: { words: "Waits to try again", limit: { delay: "backoff", next: "it is tried again" } },
      always: cancelled,
      after: { backoff: { target: "#preparing", description: "wait is over" } },
      on: { "retry.now": { target: "#preparing", description: "retry now" } }
    },
    failed: {
      id: "failed",
      tags: ["rest"],
      meta: { words: "Needs a person" },
      always: { guard: when("retireAsked"), target: "#retired", description: "retire", meta: rare },
      on: {
        cancel: {},
        order: { guard: when("isStable"), target: "#preparing", actions: note("takeOrder"), description: "new order" },
        dismiss: { target: "#idle", description: "dismiss", meta: rare },
        "poll.ok": {
          guard: when("neverReturned", "bootedAsAsked"),
          target: "#returning",
          actions: note("noteRebooted"),
          description: "late return",
          meta: rare
        },
        ...retireAtOnce
      }
    },
    unresolved: {
      id: "unresolved",
      tags: ["rest", "open"],
      meta: { words: "Needs a decision" },
      entry: [end("unresolved"), alarm("unresolved")],
      on: {
        cancel: {},
        "retry.now": { target: "#settling", actions: note("askAfresh"), description: "ask again", meta: rare },
        "settle.by_hand": {
          target: "#idle",
          actions: [close("abandoned"), end("byHand")],
          description: "settled by hand",
          meta: rare
        }
      }
    }
  }
})
