/** The messages between `npm start` and the processes it runs. */
export type ChildMessage = { readonly type: "ready" }

/** How long a process may take to stop in order once its parent is gone. */
const drainMs = 10_000

/**
 * Makes this process a good child of `npm start`: a closed terminal does not end it, a lost parent does (in order, as by
 * SIGTERM). Call it first; without a parent it only guards the output.
 */
export const superviseMe = (): void => {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined)
  if (process.channel === undefined) return
  process.on("disconnect", () => {
    setTimeout(() => process.exit(1), drainMs).unref()
    process.kill(process.pid, "SIGTERM")
  })
  // A listener keeps the channel open and the process alive; the servers of a process do that themselves.
  process.channel.unref()
}

/** Tells the parent, if there is one, that this process does its work now. */
export const announceReady = (): void => {
  const message: ChildMessage = { type: "ready" }
  if (process.connected) process.send?.(message)
}
