/** What follows from the two readings of a host: the one before anything is sent, and the one after it ran. */
import type { HostCondition } from "./hostGuards.ts"
import { close, end, note, rare, when } from "./hostSetup.ts"
import { proved, unavailable, under } from "./hostWays.ts"

/** An order that ran once is ended by evidence alone: what stops its next try is noted and the versions are read. */
const stopped = (condition: HostCondition, ending: "planChanged" | "preCheckFailed", description: string) =>
  [
    {
      guard: when("callMatches", condition, "ran"),
      target: "#verifying",
      actions: note("keepBaseline", ending === "planChanged" ? "notePlanChanged" : "notePreCheck"),
      description,
      meta: rare
    },
    {
      guard: when("callMatches", condition),
      target: "#failed",
      actions: [note("keepBaseline"), end(ending)],
      description,
      meta: rare
    }
  ] as const

/** Anything to send is weighed last, after everything that speaks against it. */
export const baselineRead = [
  {
    guard: when("callMatches", "tooLate", "ran"),
    target: "#verifying",
    actions: note("keepBaseline"),
    description: "window closed",
    meta: rare
  },
  {
    guard: when("callMatches", "tooLate"),
    target: "#idle",
    actions: [note("keepBaseline"), end("deferred")],
    description: "window closed",
    meta: rare
  },
  ...stopped("planChanged", "planChanged", "plan changed"),
  {
    guard: when("callMatches", "alreadyThere", "!rebootOwed"),
    target: "#verifying",
    actions: note("keepBaseline"),
    description: "already installed",
    meta: rare
  },
  {
    guard: when("callMatches", "nothingToDo"),
    target: "#idle",
    actions: [note("keepBaseline"), end("nothingToDo")],
    description: "nothing to do",
    meta: rare
  },
  ...under(["callMatches", "foreignJob"], unavailable),
  {
    guard: when("callMatches", "databaseDirty"),
    target: "#failed",
    actions: [note("keepBaseline"), end("databaseDirty")],
    description: "package database not clean",
    meta: rare
  },
  ...stopped("preCheckFails", "preCheckFailed", "pre-check failed"),
  {
    guard: when("callMatches", "alreadyThere"),
    target: "#verifying",
    actions: note("keepBaseline"),
    description: "already installed",
    meta: rare
  },
  {
    guard: when("callMatches", "onlyReboot"),
    target: "#leaving",
    actions: note("keepBaseline"),
    description: "reboot only",
    meta: rare
  },
  {
    guard: when("callMatches"),
    target: "#dispatching",
    actions: note("keepBaseline"),
    description: "baseline read"
  }
] as const

/** The versions are right: the services are looked at where evidence is read again and again. */
export const serviceLooksAgain = (conditions: ReadonlyArray<HostCondition>) =>
  [
    {
      guard: when(...conditions),
      target: "#verifying",
      actions: [note("keepEvidence"), close("ran")],
      description: "target reached, service down",
      meta: rare
    }
  ] as const

const serviceStaysDown = (conditions: ReadonlyArray<HostCondition>) =>
  [
    { guard: when(...conditions, "mayComeUp"), actions: note("keepEvidence", "countServiceLook") },
    {
      guard: when(...conditions),
      target: "#failed",
      actions: [note("keepEvidence"), end("serviceDown")],
      description: "service down",
      meta: rare
    }
  ] as const

export const evidenceRead = [
  {
    guard: when("callMatches", "reached", "rebootDue", "rebootAllowed", "databaseDirty"),
    target: "#failed",
    actions: [note("keepEvidence"), end("databaseDirty")],
    description: "package database not clean",
    meta: rare
  },
  ...proved("installed versions = target: done", { description: "reboot" }, serviceStaysDown),
  {
    guard: when("callMatches", "noJobActive", "wished", "retryPlanned"),
    target: "#idle",
    actions: [note("keepEvidence"), end("cancelled")],
    description: "cancelled",
    meta: rare
  },
  {
    guard: when("callMatches", "noJobActive", "retryPlanned"),
    target: "#failed",
    actions: [note("keepEvidence"), end("failure")],
    description: "failed",
    meta: rare
  },
  {
    guard: when("callMatches", "noJobActive"),
    target: "#failed",
    actions: [note("keepEvidence"), end("notEffective")],
    description: "not effective"
  }
] as const
