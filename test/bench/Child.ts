import { fork } from "node:child_process"
import { once } from "node:events"
import { monitorEventLoopDelay } from "node:perf_hooks"

/** A process of the bench: it is asked one thing at a time and ends with us. */
export interface Child {
  readonly pid: number
  readonly ask: <A>(question: unknown) => Promise<A>
  readonly stop: () => Promise<void>
}

const deadlineMs = 600_000

/** With BENCH_PROFILE=folder every process of the bench leaves its CPU profile there. */
const profiling = (): ReadonlyArray<string> => {
  const folder = process.env["BENCH_PROFILE"]
  return folder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${folder}`]
}

/** Starts a script of this folder with its options as JSON; ready when it has sent its first message, which is answered too. */
export const startChild = async <A>(
  script: string,
  options: unknown
): Promise<{ readonly child: Child; readonly first: A }> => {
  const child = fork(new URL(script, import.meta.url).pathname, [JSON.stringify(options)], {
    execArgv: [...profiling()],
    stdio: ["ignore", "inherit", "inherit", "ipc"]
  })
  const next = <B>(): Promise<B> =>
    new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        clearTimeout(late)
        child.off("message", hear)
        child.off("exit", mourn)
        finish()
      }
      const hear = (answer: unknown) => settle(() => resolve(answer as B))
      const mourn = () => settle(() => reject(new Error(`${script} ended before it answered.`)))
      const late = setTimeout(() => settle(() => reject(new Error(`${script} did not answer.`))), deadlineMs)
      child.on("message", hear)
      child.on("exit", mourn)
    })
  const first = await next<A>()
  return {
    first,
    child: {
      pid: child.pid ?? 0,
      ask: async <B>(question: unknown) => {
        const answer = next<B>()
        child.send(question as object)
        return await answer
      },
      stop: async () => {
        if (child.exitCode !== null || child.signalCode !== null) return
        const gone = once(child, "exit")
        child.kill("SIGTERM")
        const kill = setTimeout(() => child.kill("SIGKILL"), 15_000)
        await gone
        clearTimeout(kill)
      }
    }
  }
}

/** The other end: says that it is ready and answers each question. */
export const answerQuestions = (first: unknown, answer: (question: never) => unknown): void => {
  const reply = async (question: never): Promise<void> => void process.send?.((await answer(question)) as object)
  process.on("message", (question: unknown) => void reply(question as never))
  process.on("disconnect", () => process.exit(0))
  process.send?.(first as object)
}

export interface Usage {
  /** User and system time of the whole process, in milliseconds. */
  readonly cpuMs: number
  readonly rssMiB: number
  /** How late the event loop was since the process began, or was asked with `reset`: at worst but for one time in a hundred. */
  readonly loopP99Ms: number
}

const delay = monitorEventLoopDelay({ resolution: 10 })
delay.enable()

/** The resolution itself is part of every measurement. */
const lateness = (): number => Math.max(0, delay.percentile(99) / 1e6 - 10)

export const usageOfThisProcess = (question?: { readonly reset?: boolean }): Usage => {
  if (question?.reset === true) delay.reset()
  const { user, system } = process.cpuUsage()
  return {
    cpuMs: (user + system) / 1000,
    rssMiB: process.memoryUsage.rss() / 1024 ** 2,
    loopP99Ms: lateness()
  }
}
