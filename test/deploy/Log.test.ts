import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import { makeLogger } from "#deploy/Log.ts"

const logged = (format: "json" | "text", log: Effect.Effect<void>): Effect.Effect<string> =>
  Effect.suspend(() => {
    const lines: Array<string> = []
    return log.pipe(
      Effect.provide(Logger.layer([makeLogger("worker", format, (line) => lines.push(line))])),
      Effect.map(() => lines.join("\n"))
    )
  })

describe("the log", () => {
  it.effect("is one JSON line of one schema, ids taken from the annotations", () =>
    Effect.gen(function* () {
      const text = yield* logged(
        "json",
        Effect.logWarning("The host did not answer", { attempt: 2 }).pipe(
          Effect.annotateLogs({ module: "HostActor", host_id: "h1", job_id: "j1", request_id: "r1", delay_ms: 5 })
        )
      )
      const line = JSON.parse(text) as Record<string, unknown>
      assert.match(String(line["time"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      delete line["time"]
      assert.deepEqual(line, {
        level: "warn",
        module: "HostActor",
        message: "The host did not answer { attempt: 2 }",
        request_id: "r1",
        host_id: "h1",
        job_id: "j1",
        details: { delay_ms: 5 }
      })
    })
  )

  it.effect("carries the cause of a failure and the error given with the message", () =>
    Effect.gen(function* () {
      const inner = new Error("connection refused")
      const text = yield* logged("json", Effect.logError("Poll failed", new Error("no answer", { cause: inner })))
      const line = JSON.parse(text) as Record<string, string>
      assert.strictEqual(line["message"], "Poll failed")
      assert.include(line["error"], "no answer")
      assert.include(line["error"], "connection refused")
    })
  )

  it.effect("never shows a secret, wrapped or named as one", () =>
    Effect.gen(function* () {
      const text = yield* logged(
        "json",
        Effect.log("Signed in", { inner: Redacted.make("geheim") }).pipe(
          Effect.annotateLogs({ url: Redacted.make("geheim"), access_token: "geheim", new_password: "geheim" })
        )
      )
      assert.notInclude(text, "geheim")
    })
  )

  it.effect("is a readable line on a terminal", () =>
    Effect.gen(function* () {
      const text = yield* logged("text", Effect.log("Ready").pipe(Effect.annotateLogs({ host_id: "h1" })))
      assert.match(text, /^\d\d:\d\d:\d\d\.\d{3} info {2}worker: Ready \(h1\)$/)
    })
  )
})
