/**
 * Lets sixteen handshakes start every 20 ms: a thousand at once would stall the loop until their own timers ran out. Where those that
 * are answered take long, machine or network is busy, and few stay under way at a time, so that agents are not lost for slowness.
 */
const AT_ONCE = 16
const EVERY_MS = 20
const SLOW_MS = 500
const WHEN_SLOW = 48

export const makePace = () => {
  const waiting: Array<() => void> = []
  let underWay = 0
  let slow = false
  const timer = setInterval(() => {
    const room = slow ? Math.max(0, WHEN_SLOW - underWay) : AT_ONCE
    for (const start of waiting.splice(0, Math.min(AT_ONCE, room))) {
      underWay += 1
      start()
    }
  }, EVERY_MS)
  return {
    enter: (): Promise<void> => new Promise((resolve) => waiting.push(resolve)),
    /** `answered` where the other side finished its part; silence says nothing about how busy anybody is. */
    leave: (tookMs: number, answered: boolean): void => {
      underWay -= 1
      if (answered) slow = tookMs > SLOW_MS
    },
    /** Lets everything that waits go at once. */
    flush: (): void => {
      underWay += waiting.length
      for (const start of waiting.splice(0)) start()
    },
    stop: (): void => clearInterval(timer)
  }
}

export type Pace = Pick<ReturnType<typeof makePace>, "enter" | "leave">
