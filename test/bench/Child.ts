import { fork } from "node:child_process"
import { once } from "node:events"

/** A process of the bench: it is asked one thing at a time and ends with us. */
export interface Child {
  readonly pid: number
  readonly ask: <A>(question: unknown) => Promise<A>
  readonly stop: () => Promise<void>
}

const deadlineMs = 600_000

/** Starts a script of this folder with its options as JSON; ready when it has sent its first message, which is answered too. */
export const startChild = async <A>(
  script: string,
  options: unknown
): Promise<{ readonly child: Child; readonly first: A }> => {
  const process = fork(new URL(script, import.meta.url).pathname, [JSON.stringify(options)], {
    execArgv: [],
    stdio: ["ignore", "inherit", "inherit", "ipc"]
  })
  const next = async <B>(): Promise<B> => {
    const ended = new AbortController()
    const dies = once(process, "exit", { signal: ended.signal }).then(() => {
      throw new Error(`${script} ended before it answered.`)
    })
    const late = AbortSignal.any([ended.signal, AbortSignal.timeout(deadlineMs)])
    try {
      const [answer] = (await Promise.race([once(process, "message", { signal: late }), dies])) as [B]
      return answer
    } finally {
      dies.catch(() => undefined)
      ended.abort()
    }
  }
  const first = await next<A>()
  return {
    first,
    child: {
      pid: process.pid ?? 0,
      ask: async <B>(question: unknown) => {
        const answer = next<B>()
        process.send(question as object)
        return await answer
      },
      stop: async () => {
        if (process.exitCode !== null || process.signalCode !== null) return
        const gone = once(process, "exit")
        process.kill("SIGTERM")
        const kill = setTimeout(() => process.kill("SIGKILL"), 15_000)
        await gone
        clearTimeout(kill)
      }
    }
  }
}

/** The other end: says that it is ready and answers each question. */
export const answerQuestions = (first: unknown, answer: (question: never) => unknown): void => {
  process.on("message", (question: never) => void Promise.resolve(answer(question)).then((it) => process.send?.(it)))
  process.on("disconnect", () => process.exit(0))
  process.send?.(first as object)
}

export interface Usage {
  /** User and system time of the whole process, in milliseconds. */
  readonly cpuMs: number
  readonly rssMiB: number
}

export const usageOfThisProcess = (): Usage => {
  const { user, system } = process.cpuUsage()
  return { cpuMs: (user + system) / 1000, rssMiB: process.memoryUsage.rss() / 1024 ** 2 }
}
