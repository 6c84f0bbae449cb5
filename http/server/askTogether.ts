/**
 * One run of a question for all who ask it at the same time. Whoever comes while a run is under way waits for the next one,
 * which starts after that: nobody is answered from before he asked, so a caller always sees his own last change.
 */
import { Deferred, Effect } from "effect"

interface Waiting<A, E> {
  readonly question: Effect.Effect<A, E>
  readonly answer: Deferred.Deferred<A, E>
}

/** Questions with the same key have to be the same question, for the same eyes. */
export const makeAskTogether = <A, E>() => {
  /** By key, while a run is under way: the run after it, once somebody waits for one. */
  const rounds = new Map<string, { next: Waiting<A, E> | undefined }>()

  const run = Effect.fnUntraced(function* (key: string, line: { next: Waiting<A, E> | undefined }) {
    while (line.next !== undefined) {
      const { question, answer } = line.next
      line.next = undefined
      yield* Deferred.done(answer, yield* Effect.exit(question))
    }
    rounds.delete(key)
  })

  return Effect.fnUntraced(function* <R>(key: string, question: Effect.Effect<A, E, R>) {
    const answerable = Effect.provideContext(question, yield* Effect.context<R>())
    const current = rounds.get(key)
    if (current !== undefined) {
      current.next ??= { question: answerable, answer: Deferred.makeUnsafe<A, E>() }
      return yield* Deferred.await(current.next.answer)
    }
    const first = { question: answerable, answer: Deferred.makeUnsafe<A, E>() }
    const line: { next: Waiting<A, E> | undefined } = { next: first }
    rounds.set(key, line)
    // On its own: a caller who goes away must not take the answer from the others.
    yield* Effect.forkDetach(run(key, line))
    return yield* Deferred.await(first.answer)
  })
}
