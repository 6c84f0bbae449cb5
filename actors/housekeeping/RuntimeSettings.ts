/** Takes settings into use as they are changed: told by a notification, and read every 30 s in case one was lost. */
import { Effect, Queue, Schedule } from "effect"
import { defaultSettings, type SettingValues } from "#core/Settings.ts"
import { readSettings } from "#sql/SettingsStore.ts"

/** What a change sets in motion. */
export interface SettingsTarget {
  readonly beneath: Partial<SettingValues>
  readonly apply: (now: SettingValues, before: SettingValues) => Effect.Effect<void>
}

/** The first reading is done when this returns; `changed` asks for another one at once. */
export const followSettings = Effect.fnUntraced(function* ({ apply, beneath }: SettingsTarget) {
  const hints = yield* Queue.sliding<void>(1)
  let known: SettingValues = { ...defaultSettings, ...beneath }
  const read = Effect.gen(function* () {
    const now = yield* readSettings(beneath)
    const before = known
    known = now
    yield* apply(now, before)
  })
  yield* read
  yield* Queue.take(hints).pipe(
    Effect.timeoutOption("30 seconds"),
    Effect.andThen(read),
    Effect.catch((error) => Effect.logWarning("The settings could not be read; the last ones count", error)),
    Effect.repeat(Schedule.forever),
    Effect.annotateLogs({ module: "settings" }),
    Effect.forkScoped
  )
  return { changed: Effect.asVoid(Queue.offer(hints, undefined)), current: Effect.sync(() => known) }
})
