/** How many connections each address holds: one alone must not take the room of everybody. */
import type { Socket } from "node:net"
import { bucketOf } from "./rateLimit.ts"

/** Answers whether the address may have one more, and counts it until it closes. */
export const countConnections = (most: number) => {
  const held = new Map<string, number>()
  return (socket: Socket): boolean => {
    const bucket = bucketOf(socket.remoteAddress ?? "")
    const now = held.get(bucket) ?? 0
    if (now >= most) return false
    held.set(bucket, now + 1)
    socket.once("close", () => {
      const left = (held.get(bucket) ?? 1) - 1
      if (left === 0) held.delete(bucket)
      else held.set(bucket, left)
    })
    return true
  }
}
