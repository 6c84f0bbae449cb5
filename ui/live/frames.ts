/** Collects what arrives and hands it on once a frame, so that a burst of messages costs one update. */
export const perFrame = <A>(handle: (all: ReadonlyArray<A>) => void): ((one: A) => void) => {
  let waiting: Array<A> = []
  let asked = false
  const flush = (): void => {
    asked = false
    const all = waiting
    waiting = []
    handle(all)
  }
  return (one) => {
    waiting.push(one)
    if (asked) return
    asked = true
    // A hidden tab draws no frames; a timer still runs there.
    if (document.hidden) setTimeout(flush, 250)
    else requestAnimationFrame(flush)
  }
}

/** Runs at once, then at most once in each interval, and a last time for calls in between. */
export const atMostEvery = (interval: number, run: () => void): (() => void) => {
  let last = -Infinity
  let timer: ReturnType<typeof setTimeout> | undefined
  const go = (): void => {
    timer = undefined
    last = performance.now()
    run()
  }
  return () => {
    if (timer !== undefined) return
    const wait = last + interval - performance.now()
    if (wait <= 0) go()
    else timer = setTimeout(go, wait)
  }
}
