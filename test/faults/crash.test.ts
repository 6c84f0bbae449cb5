import { describe } from "vitest"
import { faultRow } from "./row.ts"
import { clonedWorker, frozenWorker, twoWorkers } from "./rows/workerDoubled.ts"
import { blockedLoop, orderlyStop, outOfMemory, poisonJob, rejectedPromise } from "./rows/workerEnds.ts"
import {
  killedAfterAcceptance,
  killedAfterIntent,
  killedAroundCommit,
  killedBeforeIntent,
  killedBeforeResult
} from "./rows/workerKilled.ts"

describe("a worker that dies around the call that changes a host", () => {
  faultRow("F01", "SIGKILL after claim, before the intent row", {}, killedBeforeIntent)
  faultRow("F02", "SIGKILL after intent committed, before the call", {}, killedAfterIntent)
  faultRow("F03", "SIGKILL after the agent accepted, before its job id is stored", {}, killedAfterAcceptance)
  faultRow("F05", "SIGKILL between snapshot write and NOTIFY", {}, killedAroundCommit)
  faultRow("F06", "SIGKILL between reply received and result stored", {}, killedBeforeResult)
})

describe("a worker that is not alone, or not itself", () => {
  faultRow("F04", "SIGSTOP for three leases, then SIGCONT", {}, frozenWorker)
  faultRow("F07", "two workers started by mistake", {}, twoWorkers)
  faultRow("F08", "same worker id after a cloned VM", {}, clonedWorker)
})

describe("a worker that ends", () => {
  faultRow("F09", "SIGTERM with 50 jobs in flight", {}, orderlyStop)
  faultRow("F10", "event loop blocked 40 s", {}, blockedLoop)
  faultRow("F11", "crash loop: a job that kills the process each time", {}, poisonJob)
  faultRow("F12", "unhandled rejection", {}, rejectedPromise)
  faultRow("F13", "out of memory", {}, outOfMemory)
})
