import { existsSync, mkdirSync, readFileSync } from "node:fs"
import type { FileHandle } from "node:fs/promises"
import { open } from "node:fs/promises"
import { dirname } from "node:path"
import type { Change } from "./Backend.ts"

/** One operation that really took effect on a host. */
export interface LedgerEntry {
  readonly at: string
  /** The host's address. */
  readonly host: string
  readonly operation: string
  /** Null for a reboot nobody asked this agent for. */
  readonly job_id: string | null
  readonly packages: ReadonlyArray<Change>
  /** The boot the operation happened in; for a reboot the new one. */
  readonly boot_id: string
}

const parse = (text: string): ReadonlyArray<LedgerEntry> =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as LedgerEntry)

/** Reads a ledger file from disk; an absent file is an empty ledger. */
export const readLedger = (path: string): ReadonlyArray<LedgerEntry> =>
  existsSync(path) ? parse(readFileSync(path, "utf8")) : []

interface Waiting {
  readonly line: string
  readonly done: () => void
  readonly failed: (cause: unknown) => void
}

/** Append-only JSON lines: `append` resolves once the line is on disk. Entries that wait share one fsync. */
export class Ledger {
  readonly path: string
  private handle: FileHandle | undefined
  private waiting: Array<Waiting> = []
  private writing: Promise<void> | undefined

  constructor(path: string) {
    this.path = path
    mkdirSync(dirname(path), { recursive: true })
  }

  append(entry: LedgerEntry): Promise<void> {
    return new Promise((done, failed) => {
      this.waiting.push({ line: `${JSON.stringify(entry)}\n`, done, failed })
      this.writing ??= this.drain()
    })
  }

  private async drain(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting
      this.waiting = []
      try {
        this.handle ??= await open(this.path, "a")
        await this.handle.appendFile(batch.map((one) => one.line).join(""))
        await this.handle.datasync()
        for (const one of batch) one.done()
      } catch (cause) {
        for (const one of batch) one.failed(cause)
      }
    }
    this.writing = undefined
  }

  read(): ReadonlyArray<LedgerEntry> {
    return readLedger(this.path)
  }

  async close(): Promise<void> {
    await this.writing
    await this.handle?.close()
    this.handle = undefined
  }
}
