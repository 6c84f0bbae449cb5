/** Plans that people looked at, kept for a while so that a refusal can say what has changed since. */
import { Context, Effect, Layer } from "effect"

/** Characters of all plans together; the oldest go first. */
const MOST = 16_000_000

const make = Effect.sync(() => {
  const kept = new Map<string, string>()
  let size = 0
  return {
    keep: (hash: string, text: string): void => {
      size -= kept.get(hash)?.length ?? 0
      kept.delete(hash)
      kept.set(hash, text)
      size += text.length
      for (const [oldest, old] of kept) {
        if (size <= MOST || kept.size === 1) break
        kept.delete(oldest)
        size -= old.length
      }
    },
    /** Undefined where it was another process that showed it, or too long ago. */
    find: (hash: string): string | undefined => kept.get(hash)
  }
})

export class SeenPlans extends Context.Service<SeenPlans, Effect.Success<typeof make>>()(
  "patch-manager/http/SeenPlans"
) {
  static readonly layer = Layer.effect(SeenPlans, make)
}
