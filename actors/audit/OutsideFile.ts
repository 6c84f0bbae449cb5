/** The checkpoints outside of the database: one JSON line each in a file that is only ever appended to. */
import { createReadStream } from "node:fs"
import { chmod, mkdir, open, stat } from "node:fs/promises"
import { dirname } from "node:path"
import { createInterface } from "node:readline"
import { Data, Effect, Exit, Schema } from "effect"
import { Checkpoint } from "#core/audit/Checkpoint.ts"

export class OutsideFileError extends Data.TaggedError("OutsideFileError")<{
  readonly file: string
  readonly cause: unknown
}> {
  override get message() {
    return `The file of the audit log's checkpoints ${this.file} cannot be used: ${String(this.cause)}. Make sure that the worker may write there and that the disk is not full.`
  }
}

const decode = Schema.decodeUnknownExit(Schema.fromJsonString(Checkpoint))

/** A line that is no checkpoint stands for one that was altered. */
export type OutsideLine = { readonly number: number } & (
  | { readonly point: Checkpoint }
  | { readonly point: null; readonly text: string }
)

/** Lines at a time, so that reading a long file never holds the process up. */
const BATCH = 50

const attempt = <A>(file: string, use: () => Promise<A>) =>
  Effect.tryPromise({ try: use, catch: (cause) => new OutsideFileError({ file, cause }) })

/** Hands each batch of lines to `use`, in the file's order; a file that is not there has none. */
export const readOutside = (file: string, use: (lines: ReadonlyArray<OutsideLine>) => void) =>
  attempt(file, async () => {
    const exists = await stat(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return null
      throw error
    })
    if (exists === null) return
    let batch: Array<OutsideLine> = []
    let number = 0
    for await (const text of createInterface({ input: createReadStream(file, "utf8"), crlfDelay: Infinity })) {
      number += 1
      if (text === "") continue
      const point = decode(text)
      batch.push(Exit.isSuccess(point) ? { number, point: point.value } : { number, point: null, text })
      if (batch.length < BATCH) continue
      use(batch)
      batch = []
      await new Promise((resolve) => setImmediate(resolve))
    }
    use(batch)
  })

/** Resolves once the lines are on the disk. */
export const appendOutside = (file: string, points: ReadonlyArray<Checkpoint>) =>
  attempt(file, async () => {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    const handle = await open(file, "a+", 0o600)
    try {
      const { size } = await handle.stat()
      // Half a line of a write that broke off must not swallow the next one.
      const end = size === 0 ? Buffer.from("\n") : (await handle.read(Buffer.alloc(1), 0, 1, size - 1)).buffer
      const text = points.map((point) => `${JSON.stringify(point)}\n`).join("")
      await handle.write(end.toString() === "\n" ? text : `\n${text}`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await chmod(file, 0o600)
  })
